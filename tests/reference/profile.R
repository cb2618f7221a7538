# Regenerates profile.json: profile intervals of SDs, correlations, sigma and fixed effects, by lme4.
#
#   Rscript profile.R profile.json
#
# Needs R with lme4, nlme, mlmRev and jsonlite (Debian: r-cran-lme4 r-cran-nlme r-cran-mlmrev r-cran-jsonlite).
# lme4 steps along the profile and reads the bounds off a spline through the steps; `seconds` is its CPU time.

suppressMessages({library(lme4); library(nlme); library(mlmRev); library(jsonlite)})

models <- list(
  sleepstudy = c("Reaction ~ 1 + Days + (1|Subject)", "Reaction ~ 1 + Days + (1 + Days|Subject)",
                 "Reaction ~ 1 + Days + (1|Subject) + (0 + Days|Subject)", "Reaction ~ 1 + Days + (0 + Days|Subject)"),
  Dyestuff   = "Yield ~ 1 + (1|Batch)",
  Dyestuff2  = "Yield ~ 1 + (1|Batch)",
  Penicillin = "diameter ~ 1 + (1|plate) + (1|sample)",
  Pastes     = c("strength ~ 1 + (1|sample)", "strength ~ 1 + (1|batch/cask)"),
  cake       = "angle ~ recipe + temperature + (1|recipe:replicate)",
  Orthodont  = c("distance ~ age * Sex + (1|Subject)", "distance ~ age + (age|Subject)"),
  Machines   = c("score ~ Machine + (1|Worker)", "score ~ Machine + (Machine|Worker)"),
  Oats       = "yield ~ nitro * Variety + (1|Block/Variety)",
  Rail       = "travel ~ 1 + (1|Rail)",
  Oxide      = "Thickness ~ 1 + (1|Lot/Wafer)",
  BodyWeight = "weight ~ Time * Diet + (Time|Rat)",
  Hsb82      = "mAch ~ cses + (cses|school)",
  Exam       = "normexam ~ standLRT + (standLRT|school)")

package_of <- function(name)
  if (name %in% c("sleepstudy", "Dyestuff", "Dyestuff2", "Penicillin", "Pastes", "cake")) "lme4" else
  if (name %in% c("Hsb82", "Exam")) "mlmRev" else "nlme"

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)
fits <- list()
for (name in names(models)) for (formula in models[[name]]) {
  d <- as.data.frame(getExportedValue(package_of(name), name))
  fit <- lmer(as.formula(formula), d, REML = FALSE, control = tight)
  warned <- FALSE
  time <- system.time(bounds <- withCallingHandlers(
    suppressMessages(confint(fit, oldNames = FALSE)),
    warning = function(w) { warned <<- TRUE; invokeRestart("muffleWarning") }))
  fits[[length(fits) + 1]] <- list(data = name, formula = formula, names = as.list(rownames(bounds)),
                                   low = as.list(unname(bounds[, 1])), high = as.list(unname(bounds[, 2])),
                                   warned = warned, seconds = unname(time["user.self"]))
  message(name, " ", formula, " ", round(time["user.self"], 1))
}
write(toJSON(fits, digits = I(10), auto_unbox = TRUE, na = "null"), commandArgs(TRUE)[1])
message("lme4 ", packageVersion("lme4"), ", ", R.version.string)
