# Regenerates simulations.json: outcomes drawn by lme4's simulate, and lme4's fits of the same model to them.
#
#   Rscript simulations.R simulations.json
#
# Needs R with lme4, nlme, numDeriv and jsonlite (Debian: r-cran-lme4 r-cran-nlme r-cran-numderiv r-cran-jsonlite).
# `refits`: for each model three outcomes, rounded to five decimals, and the fit to each of them as rounded, by
# bobyqa and then Newton steps on lme4's own criterion until its gradient vanished (as in lme4.R).
# `draws`: mean and standard deviation of row sums that 4,000 draws of simulate have, new random effects or not.
# `boot`: mean, standard deviation and 2.5, 50 and 97.5 per cent quantiles of 1,000 replicates of bootMer.

suppressMessages({library(lme4); library(nlme); library(numDeriv); library(jsonlite)})
set.seed(20240615)

models <- list(list("sleepstudy", "Reaction ~ Days + (Days|Subject)"), list("sleepstudy", "Reaction ~ Days + (Days||Subject)"),
               list("Dyestuff", "Yield ~ 1 + (1|Batch)"), list("Pastes", "strength ~ 1 + (1|batch/cask)"),
               list("Penicillin", "diameter ~ 1 + (1|plate) + (1|sample)"), list("Machines", "score ~ Machine + (1|Worker)"),
               list("Orthodont", "distance ~ age * Sex + (age|Subject)"))

data_of <- function(name) as.data.frame(getExportedValue(if (name %in% c("Machines", "Orthodont")) "nlme" else "lme4", name))

refine <- function(f, theta, lower) {
  free <- !(lower == 0 & theta < 1e-4)
  theta[!free] <- 0
  g <- function(x) { t <- theta; t[free] <- x; f(t) }
  x <- theta[free]
  if (any(free)) for (step in 1:6) {
    change <- solve(hessian(g, x), grad(g, x))
    if (max(abs(change)) < 1e-9 || g(x - change) > g(x) + 1e-8) break
    x <- x - change
  }
  theta[free] <- x
  for (k in which(!free)) stopifnot(f(replace(theta, k, 1e-3)) >= f(theta))
  theta
}

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)
fit_of <- function(formula, d, REML) lmer(as.formula(formula), d, REML = REML, control = tight)

refit_one <- function(name, formula, REML) {
  d <- data_of(name)
  fit <- suppressMessages(fit_of(formula, d, REML))
  outcome <- all.vars(as.formula(formula))[1]
  lapply(1:3, function(draw) {
    d[[outcome]] <- round(simulate(fit)[[1]], 5)
    parts <- lFormula(as.formula(formula), d, REML = REML)
    criterion <- do.call(mkLmerDevfun, parts)
    start <- optimizeLmer(criterion, optimizer = "bobyqa", control = list(rhobeg = 0.2, rhoend = 1e-7))
    theta <- refine(criterion, start$par, environment(criterion)$lower)
    found <- list(par = theta, fval = criterion(theta), feval = NA, conv = 0, message = "Newton")
    own <- mkMerMod(environment(criterion), found, parts$reTrms, fr = parts$fr)
    list(y = d[[outcome]], objective = unname(if (REML) REMLcrit(own) else deviance(own)), theta = as.list(theta),
         sigma = sigma(own), beta = unname(as.list(fixef(own))), singular = isSingular(own, tol = 1e-6))
  })
}

refits <- list()
for (m in models) for (REML in c(TRUE, FALSE))
  refits[[length(refits) + 1]] <- list(data = m[[1]], formula = m[[2]], REML = REML, fits = refit_one(m[[1]], m[[2]], REML))

sleep <- fit_of(models[[1]][[2]], sleepstudy, TRUE)
sums <- function(use.u) {  # of the ten rows of each of the first four subjects
  y <- as.matrix(simulate(sleep, 4000, use.u = use.u))
  s <- sapply(1:4, function(k) colSums(y[(10 * k - 9):(10 * k), ]))
  list(mean = colMeans(s), sd = apply(s, 2, sd))
}
statistic <- function(fit) c(as.data.frame(VarCorr(fit))$sdcor, fixef(fit))
seconds <- system.time(b <- bootMer(sleep, statistic, nsim = 1000, seed = 1))[["user.self"]]
boot <- list(order = c("sd Subject Intercept", "sd Subject Days", "cor Subject Intercept Days", "sigma", "Intercept", "Days"),
             mean = colMeans(b$t, na.rm = TRUE), sd = apply(b$t, 2, sd, na.rm = TRUE),
             quantiles = unname(apply(b$t, 2, quantile, c(0.025, 0.5, 0.975), na.rm = TRUE)), seconds = seconds)
write(toJSON(list(refits = refits, draws = list(new = sums(FALSE), fitted = sums(TRUE)), boot = boot),
             digits = I(14), auto_unbox = TRUE), commandArgs(TRUE)[1])
message("lme4 ", packageVersion("lme4"), ", ", R.version.string)
