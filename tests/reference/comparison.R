# Regenerates comparison.json: likelihood-ratio statistics by lme4, exact null distributions by RLRsim.
#
#   Rscript comparison.R comparison.json
#
# Needs R with lme4, nlme, RLRsim and jsonlite (Debian: r-cran-lme4 r-cran-nlme r-cran-rlrsim r-cran-jsonlite).
# RLRsim's quantiles are of 200,000 draws.

suppressMessages({library(lme4); library(nlme); library(RLRsim); library(jsonlite)})

package_of <- function(name) if (name %in% c("sleepstudy", "Dyestuff", "Penicillin", "Pastes")) "lme4" else "nlme"
data_of <- function(name) as.data.frame(getExportedValue(package_of(name), name))
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)

pairs <- list(
  list("sleepstudy", "Reaction ~ 1 + (1|Subject)", "Reaction ~ Days + (1|Subject)", FALSE),
  list("sleepstudy", "Reaction ~ Days + (1|Subject)", "Reaction ~ Days + (Days|Subject)", FALSE),
  list("sleepstudy", "Reaction ~ Days + (1|Subject)", "Reaction ~ Days + (Days|Subject)", TRUE),
  list("sleepstudy", "Reaction ~ Days + (Days||Subject)", "Reaction ~ Days + (Days|Subject)", TRUE),
  list("sleepstudy", "Reaction ~ 1 + (1|Subject)", "Reaction ~ Days + (Days|Subject)", FALSE),
  list("Penicillin", "diameter ~ 1 + (1|plate)", "diameter ~ 1 + (1|plate) + (1|sample)", TRUE),
  list("Pastes", "strength ~ 1 + (1|batch:cask)", "strength ~ 1 + (1|batch/cask)", FALSE),
  list("Orthodont", "distance ~ age + (age|Subject)", "distance ~ age * Sex + (age|Subject)", FALSE),
  list("Orthodont", "distance ~ age * Sex + (1|Subject)", "distance ~ age * Sex + (age|Subject)", TRUE),
  list("Machines", "score ~ Machine + (1|Worker)", "score ~ Machine + (Machine|Worker)", TRUE))
tests <- lapply(pairs, function(p) {
  d <- data_of(p[[1]])
  fit <- function(f) lmer(as.formula(f), d, REML = p[[4]], control = tight)
  a <- anova(fit(p[[2]]), fit(p[[3]]), refit = FALSE)
  list(data = p[[1]], small = p[[2]], large = p[[3]], REML = p[[4]], AIC = as.list(a$AIC), BIC = as.list(a$BIC),
       logLik = as.list(a$logLik), chisq = a$Chisq[2], df = a$Df[2])
})

designs <- list(
  list("Dyestuff", "Yield ~ 1 + (1|Batch)"), list("Pastes", "strength ~ 1 + (1|batch)"),
  list("sleepstudy", "Reaction ~ Days + (1|Subject)"), list("sleepstudy", "Reaction ~ Days + (0 + Days|Subject)"),
  list("Penicillin", "diameter ~ 1 + (1|sample)"))
shares <- c(0.5, 0.75, 0.9, 0.95, 0.99)
exact <- lapply(designs, function(p) {
  m <- lmer(as.formula(p[[2]]), data_of(p[[1]]))
  X <- getME(m, "X"); Z <- as.matrix(getME(m, "Z"))
  restricted <- RLRTSim(X, Z, sqrt.Sigma = diag(ncol(Z)), seed = 1, nsim = 200000)
  whole <- LRTSim(X, Z, q = 0, sqrt.Sigma = diag(ncol(Z)), seed = 2, nsim = 200000)
  list(data = p[[1]], formula = p[[2]], shares = shares, RLRT = as.list(unname(quantile(restricted, shares))),
       LRT = as.list(unname(quantile(whole, shares))), RLRT_zero = mean(restricted < 1e-8))
})
write(toJSON(list(lrt = tests, exact = exact), digits = I(12), auto_unbox = TRUE), commandArgs(TRUE)[1])
message("lme4 ", packageVersion("lme4"), ", RLRsim ", packageVersion("RLRsim"), ", ", R.version.string)
