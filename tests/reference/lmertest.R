# Regenerates lmertest.json: Satterthwaite t tests of the fixed effects, by lmerTest.
#
#   Rscript lmertest.R lmertest.json
#
# Needs R with lmerTest, nlme, mlmRev and jsonlite (Debian: r-cran-lmertest r-cran-nlme r-cran-mlmrev
# r-cran-jsonlite). lmer searches with tight tolerances, since lmerTest's own derivatives start from its optimum.

suppressMessages({library(lmerTest); library(nlme); library(mlmRev); library(jsonlite)})

models <- list(
  sleepstudy = c("Reaction ~ 1 + Days + (1|Subject)", "Reaction ~ 1 + Days + (1 + Days|Subject)",
                 "Reaction ~ 1 + Days + (1|Subject) + (0 + Days|Subject)"),
  Penicillin = "diameter ~ 1 + (1|plate) + (1|sample)",
  Pastes     = "strength ~ 1 + (1|batch/cask)",
  cake       = "angle ~ recipe + temperature + (1|recipe:replicate)",
  Orthodont  = c("distance ~ age * Sex + (1|Subject)", "distance ~ age * Sex + (age|Subject)"),
  Machines   = c("score ~ Machine + (1|Worker)", "score ~ Machine + (Machine|Worker)"),
  Oats       = c("yield ~ nitro * Variety + (1|Block/Variety)", "yield ~ nitro + (1|Block/Variety)"),
  Assay      = "logDens ~ sample * dilut + (1|Block) + (1|Block:sample) + (1|Block:dilut)",
  BodyWeight = "weight ~ Time * Diet + (Time|Rat)",
  Hsb82      = c("mAch ~ meanses + (1|school)", "mAch ~ cses + (cses|school)"),
  Exam       = "normexam ~ standLRT + (standLRT|school)",
  ScotsSec   = "attain ~ sex + (1|primary) + (1|second)")

package_of <- function(name)
  if (name %in% c("sleepstudy", "Penicillin", "Pastes", "cake")) "lme4" else
  if (name %in% c("Hsb82", "Exam", "ScotsSec")) "mlmRev" else "nlme"

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)
fits <- list()
for (name in names(models)) for (formula in models[[name]]) {
  d <- as.data.frame(getExportedValue(package_of(name), name))
  table <- coef(summary(lmerTest::lmer(as.formula(formula), d, control = tight)))
  fits[[length(fits) + 1]] <- list(data = name, formula = formula, beta_names = as.list(rownames(table)),
                                   t = as.list(unname(table[, "t value"])), df = as.list(unname(table[, "df"])),
                                   p = as.list(unname(table[, "Pr(>|t|)"])))
}
write(toJSON(fits, digits = I(12), auto_unbox = TRUE), commandArgs(TRUE)[1])
message("lmerTest ", packageVersion("lmerTest"), ", lme4 ", packageVersion("lme4"), ", ", R.version.string)
