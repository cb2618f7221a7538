# Regenerates profile_re.json: lme4's profile zeta of standard deviations, over their grid.
#
#     Rscript tests/reference/profile_re.R > tests/reference/profile_re.json
#
# zeta^2 = 2 (l - l_p(sd)), maximum likelihood; rows of each parameter's own profile, within 3 of zero.

suppressPackageStartupMessages({
  library(lme4)
  library(jsonlite)
})

one <- function(data, formula, which) {
  fit <- lmer(formula, data, REML = FALSE, control = lmerControl(optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-12)))
  found <- as.data.frame(profile(fit, which = which, signames = FALSE, devtol = 1e-7))
  lapply(split(found, as.character(found$.par)), function(own) {
    own <- own[abs(own$.zeta) < 3, ]
    list(sd = own[[as.character(own$.par[1])]], zeta = own$.zeta)
  })
}

sets <- list(
  sleepstudy = one(sleepstudy, Reaction ~ Days + (Days | Subject), c(1, 3)),
  sleepstudy_apart = one(sleepstudy, Reaction ~ Days + (Days || Subject), c(1, 2)),
  Pastes = one(Pastes, strength ~ 1 + (1 | batch / cask), c(1, 2)),
  Dyestuff2 = one(Dyestuff2, Yield ~ 1 + (1 | Batch), 1),
  Penicillin = one(Penicillin, diameter ~ 1 + (1 | plate) + (1 | sample), c(1, 2))
)
versions <- list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")))
cat(toJSON(list(versions = versions, sets = sets), digits = NA, auto_unbox = TRUE), "\n")
