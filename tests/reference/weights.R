# Regenerates weights.json: fits with prior weights, an offset, or both, by lme4, refined to the exact optimum.
#
#   Rscript weights.R weights.json
#
# Needs R with lme4, lmerTest, mlmRev, numDeriv and jsonlite (Debian: r-cran-lme4 r-cran-lmertest r-cran-mlmrev
# r-cran-numderiv r-cran-jsonlite). Run it in this folder: the search is the one of lme4.R, whose functions it reads.

suppressMessages({library(lme4); library(lmerTest); library(mlmRev); library(numDeriv); library(jsonlite)})

# refine() and plain() of lme4.R, without its fits.
for (each in parse("lme4.R")) if (as.character(each[[1]]) == "<-" && as.character(each[[2]]) %in% c("refine", "plain"))
  eval(each)

# Weights and offset are functions of the row's number i = 1 … n, so that any program can make the same ones.
models <- list(
  list("lme4", "sleepstudy", "Reaction ~ Days + (1 | Subject)"),
  list("lme4", "sleepstudy", "Reaction ~ Days + (Days | Subject)"),
  list("lme4", "sleepstudy", "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)"),
  list("lme4", "Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
  list("lme4", "Pastes", "strength ~ 1 + (1 | batch) + (1 | sample)"),
  list("lme4", "Dyestuff2", "Yield ~ 1 + (1 | Batch)"),
  list("mlmRev", "Hsb82", "mAch ~ cses + (cses | school)"))
kinds <- list(weights = c(TRUE, FALSE), offset = c(FALSE, TRUE), both = c(TRUE, TRUE))

data_of <- function(package, name) {
  d <- as.data.frame(getExportedValue(package, name))
  i <- seq_len(nrow(d))
  d$w <- 0.5 + (7 * i) %% 11 / 4
  d$z <- ((3 * i) %% 13 - 6) / 5
  d
}

fit_one <- function(package, name, formula, kind, REML) {
  d <- data_of(package, name)
  arguments <- list(as.formula(formula), d, REML = REML)
  if (kind[1]) arguments$weights <- quote(w)
  if (kind[2]) arguments$offset <- quote(z)
  parts <- do.call(lFormula, arguments)
  criterion <- do.call(mkLmerDevfun, parts)
  start <- optimizeLmer(criterion, optimizer = "bobyqa", control = list(rhobeg = 0.2, rhoend = 1e-7))
  best <- refine(criterion, start$par, environment(criterion)$lower)
  criterion(best$theta)
  found <- list(par = best$theta, fval = criterion(best$theta), feval = NA, conv = 0, message = "Newton")
  fit <- mkMerMod(environment(criterion), found, parts$reTrms, fr = parts$fr)
  random <- as.data.frame(ranef(fit, condVar = TRUE))
  random <- random[unique(round(seq(1, nrow(random), length.out = 24))), ]
  # lmerTest takes a fit of lmer; it starts at the optimum and stays there.
  arguments$start <- best$theta
  arguments$control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 1e-4, rhoend = 1e-10), calc.derivs = FALSE)
  tests <- if (REML) coef(summary(do.call(lmerTest::lmer, arguments)))
  list(data = name, formula = formula, weights = kind[1], offset = kind[2], REML = REML,
       objective = unname(if (REML) REMLcrit(fit) else deviance(fit)), logLik = as.numeric(logLik(fit)),
       AIC = AIC(fit), BIC = BIC(fit), theta = unname(as.list(getME(fit, "theta"))), sigma = sigma(fit),
       beta = unname(as.list(fixef(fit))), se = unname(as.list(sqrt(diag(as.matrix(vcov(fit)))))),
       df = if (REML) unname(as.list(tests[, "df"])) else list(), varcorr = as.data.frame(VarCorr(fit)),
       singular = isSingular(fit),
       ranef = list(factor = as.character(random$grpvar), term = as.character(random$term),
                    level = as.character(random$grp), mode = random$condval, sd = random$condsd),
       fitted = unname(fitted(fit)[1:20]), resid = unname(residuals(fit)[1:20]),
       pearson = unname(residuals(fit, "pearson", scaled = TRUE)[1:20]),
       fixed = unname(predict(fit, re.form = NA)[1:20]))
}

fits <- list()
for (model in models) for (kind in kinds) for (REML in c(TRUE, FALSE)) {
  message(model[[2]], ": ", model[[3]], " ", paste(kind, collapse = " "), if (REML) " REML" else " ML")
  fits[[length(fits) + 1]] <- fit_one(model[[1]], model[[2]], model[[3]], kind, REML)
}
versions <- list(lme4 = as.character(packageVersion("lme4")), lmerTest = as.character(packageVersion("lmerTest")),
                 R = R.version.string)
write(toJSON(list(versions = versions, fits = fits), digits = 15, auto_unbox = TRUE, dataframe = "rows", na = "null"),
      commandArgs(TRUE)[1])
