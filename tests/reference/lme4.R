# Regenerates lme4.json: REML and ML fits of 35 models by lme4, refined to the exact optimum.
#
#   Rscript lme4.R lme4.json
#
# Needs R with lme4, nlme, mlmRev, numDeriv and jsonlite (Debian: r-cran-lme4 r-cran-nlme r-cran-mlmrev
# r-cran-numderiv r-cran-jsonlite). lmer's own optimisers stop when the criterion hardly falls any more, which
# leaves theta good to three to five digits; Newton steps on the same profiled criterion, with derivatives by
# Richardson extrapolation, go on until the gradient vanishes.

suppressMessages({library(lme4); library(nlme); library(mlmRev); library(numDeriv); library(jsonlite)})

models <- list(
  sleepstudy = c("Reaction ~ 1 + Days + (1|Subject)", "Reaction ~ 1 + Days + (1 + Days|Subject)",
                 "Reaction ~ 1 + Days + (1|Subject) + (0 + Days|Subject)", "Reaction ~ 1 + Days + (0 + Days|Subject)"),
  Dyestuff   = "Yield ~ 1 + (1|Batch)",
  Dyestuff2  = "Yield ~ 1 + (1|Batch)",
  Penicillin = "diameter ~ 1 + (1|plate) + (1|sample)",
  Pastes     = c("strength ~ 1 + (1|sample)", "strength ~ 1 + (1|batch/cask)"),
  cake       = c("angle ~ recipe * temperature + (1|recipe:replicate)",
                 "angle ~ recipe + temperature + (1|recipe:replicate)"),
  Orthodont  = c("distance ~ age * Sex + (1|Subject)", "distance ~ age * Sex + (age|Subject)",
                 "distance ~ age + (age|Subject)"),
  Machines   = c("score ~ Machine + (1|Worker)", "score ~ Machine + (Machine|Worker)"),
  Oats       = c("yield ~ nitro * Variety + (1|Block/Variety)", "yield ~ nitro + (1|Block/Variety)",
                 "yield ~ ordered(nitro) * Variety + (1|Block/Variety)"),
  Rail       = "travel ~ 1 + (1|Rail)",
  Oxide      = "Thickness ~ 1 + (1|Lot/Wafer)",
  Assay      = "logDens ~ sample * dilut + (1|Block) + (1|Block:sample) + (1|Block:dilut)",
  BodyWeight = "weight ~ Time * Diet + (Time|Rat)",
  Hsb82      = c("mAch ~ 1 + (1|school)", "mAch ~ meanses + (1|school)", "mAch ~ cses + (cses|school)"),
  Exam       = c("normexam ~ 1 + (1|school)", "normexam ~ standLRT + (1|school)",
                 "normexam ~ standLRT + (standLRT|school)"),
  ScotsSec   = c("attain ~ 1 + (1|primary) + (1|second)", "attain ~ sex + (1|primary) + (1|second)"),
  egsingle   = "math ~ year + (1|schoolid/childid)",
  Chem97     = "score ~ gcsecnt + (1|school) + (1|lea)",
  Early      = "cog ~ tosx + trt:tosx + (tosx|id)",
  InstEval   = "y ~ service + (1|s) + (1|d) + (1|dept)")

package_of <- function(name)
  if (name %in% c("sleepstudy", "Dyestuff", "Dyestuff2", "Penicillin", "Pastes", "cake", "InstEval")) "lme4" else
  if (name %in% c("Hsb82", "Exam", "ScotsSec", "egsingle", "Chem97", "Early")) "mlmRev" else "nlme"

# The data as plain data frames: groupedData and labelled columns carry classes that confuse model.frame.
data_of <- function(name) {
  d <- as.data.frame(getExportedValue(package_of(name), name))
  if (name == "Early") d$tosx <- d$age - 0.5
  d
}

# Minimise f over the free entries of theta by Newton steps; entries at their lower bound of zero stay there.
refine <- function(f, theta, lower) {
  free <- !(lower == 0 & theta < 1e-4)
  theta[!free] <- 0
  g <- function(x) { t <- theta; t[free] <- x; f(t) }
  x <- theta[free]
  slope <- numeric(0)
  if (any(free)) for (step in 1:6) {
    slope <- grad(g, x)
    change <- solve(hessian(g, x), slope)
    if (max(abs(change)) < 1e-9) break
    if (g(x - change) > g(x) + 1e-8) break  # rounding decides: there is nothing left to gain
    x <- x - change
  }
  theta[free] <- x
  # A zero is the optimum only if the criterion rises from it.
  for (k in which(!free)) stopifnot(f(replace(theta, k, 1e-3)) >= f(theta))
  list(theta = theta, slope = slope)
}

# A matrix without row and column names, which JSON would turn into objects.
plain <- function(x) { dimnames(x) <- NULL; x }

effects_of <- function(fit) {
  found <- ranef(fit, condVar = TRUE)
  lapply(names(found), function(factor) {
    table <- found[[factor]]
    first <- seq_len(min(3, nrow(table)))
    variance <- attr(table, "postVar")
    # Several terms of one factor: lme4 gives the variance of each alone, so it is left out.
    condvar <- if (is.list(variance)) setNames(list(), character(0)) else
      lapply(first, function(j) plain(matrix(variance[, , j], nrow = ncol(table))))
    list(factor = factor, nlev = nrow(table), terms = as.list(names(table)), level = as.list(rownames(table)[first]),
         mode = plain(as.matrix(table[first, , drop = FALSE])), condvar = condvar)
  })
}

fit_one <- function(name, formula, REML) {
  d <- data_of(name)
  parts <- lFormula(as.formula(formula), d, REML = REML)
  criterion <- do.call(mkLmerDevfun, parts)
  start <- optimizeLmer(criterion, optimizer = "bobyqa", control = list(rhobeg = 0.2, rhoend = 1e-7))
  best <- refine(criterion, start$par, environment(criterion)$lower)
  criterion(best$theta)
  found <- list(par = best$theta, fval = criterion(best$theta), feval = NA, conv = 0, message = "Newton")
  fit <- mkMerMod(environment(criterion), found, parts$reTrms, fr = parts$fr)
  parts <- as.data.frame(VarCorr(fit))
  list(data = paste0(package_of(name), "::", name), formula = formula, REML = REML, n = nobs(fit),
       ngrps = as.list(ngrps(fit)), objective = unname(if (REML) REMLcrit(fit) else deviance(fit)),
       logLik = as.numeric(logLik(fit)), AIC = AIC(fit), BIC = BIC(fit), theta = unname(as.list(getME(fit, "theta"))),
       sigma = sigma(fit), beta_names = as.list(names(fixef(fit))), beta = unname(as.list(fixef(fit))),
       se = unname(as.list(sqrt(diag(as.matrix(vcov(fit)))))), varcorr = parts, pwrss = unname(getME(fit, "devcomp")$cmp["pwrss"]),
       ldL2 = unname(getME(fit, "devcomp")$cmp["ldL2"]), ldRX2 = unname(getME(fit, "devcomp")$cmp["ldRX2"]),
       singular = isSingular(fit), maxgrad = max(abs(best$slope), 0), ranef = effects_of(fit),
       fitted5 = unname(fitted(fit)[1:5]))
}

out <- commandArgs(TRUE)[1]
fits <- list()
for (name in names(models)) for (formula in models[[name]]) for (REML in c(TRUE, FALSE)) {
  message(name, ": ", formula, if (REML) " (REML)" else " (ML)")
  fits[[length(fits) + 1]] <- fit_one(name, formula, REML)
}
write(toJSON(fits, digits = 15, auto_unbox = TRUE, dataframe = "rows", na = "null"), out)
message("lme4 ", packageVersion("lme4"), ", ", R.version.string)
