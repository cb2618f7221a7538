# Regenerates variance.json: intraclass correlations, R² and variance explained against the null model.
#
#   Rscript variance.R variance.json
#
# Needs R with performance, lme4, nlme, mlmRev and jsonlite (Debian: r-cran-performance r-cran-lme4 r-cran-nlme
# r-cran-mlmrev r-cran-jsonlite). `explained` is performance::r2(by_group = TRUE), first the residual ('Level 1');
# by-group figures are given where there are no random slopes, for which performance says they are not accurate.
# `snijders_bosker`: 1 - (s2 + t)/(s2_0 + t_0), then 1 - (s2/n + t)/(s2_0/n + t_0), n the harmonic mean size.

suppressMessages({library(performance); library(lme4); library(nlme); library(mlmRev); library(jsonlite)})
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)
oats <- as.data.frame(Oats); oats$Block <- factor(as.character(oats$Block))
oats$plot <- factor(paste(oats$Block, oats$Variety))
frames <- list(sleepstudy = sleepstudy, Oats = oats, Penicillin = Penicillin, Exam = Exam, Hsb82 = Hsb82,
               Orthodont = as.data.frame(Orthodont), Machines = as.data.frame(Machines))
models <- list(c("sleepstudy", "Reaction ~ Days + (1 | Subject)"), c("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
               c("Oats", "yield ~ nitro + (1 | Block) + (1 | plot)"), c("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
               c("Exam", "normexam ~ standLRT + (standLRT | school)"), c("Exam", "normexam ~ standLRT + sex + (1 | school)"),
               c("Hsb82", "mAch ~ meanses + cses + (1 | school)"), c("Orthodont", "distance ~ age * Sex + (age | Subject)"),
               c("Machines", "score ~ Machine + (1 | Worker)"))
out <- list()
for (m in models) {
  data <- frames[[m[1]]]
  fit <- lmer(as.formula(m[2]), data, control = tight)
  one <- list(data = m[1], formula = m[2])
  total <- icc(fit); r <- r2(fit)
  one$icc <- total$ICC_adjusted
  one$icc_unadjusted <- if (!is.null(total$ICC_unadjusted)) total$ICC_unadjusted else total$ICC_conditional
  one$r2_marginal <- unname(r$R2_marginal); one$r2_conditional <- unname(r$R2_conditional)
  if (!grepl("(age |", m[2], fixed = TRUE) && !grepl("(Days |", m[2], fixed = TRUE) && !grepl("(standLRT |", m[2], fixed = TRUE)) {
    groups <- icc(fit, by_group = TRUE); levels <- r2(fit, by_group = TRUE)
    one$groups <- groups$Group; one$icc_by_group <- groups$ICC
    one$explained_levels <- levels$Level; one$explained <- levels$R2
    if (length(groups$Group) == 1) {
      null <- insight::null_model(fit)
      t1 <- unlist(VarCorr(fit)); t0 <- unlist(VarCorr(null)); s1 <- sigma(fit)^2; s0 <- sigma(null)^2
      n <- 1 / mean(1 / table(getME(fit, "flist")[[1]]))
      one$snijders_bosker <- unname(c(1 - (s1 + t1) / (s0 + t0), 1 - (s1 / n + t1) / (s0 / n + t0)))
    }
  }
  out[[length(out) + 1]] <- one
}
write(toJSON(out, digits = I(12), auto_unbox = TRUE), commandArgs(TRUE)[1])
message("performance ", packageVersion("performance"), ", insight ", packageVersion("insight"), ", lme4 ", packageVersion("lme4"), ", ", R.version.string)
