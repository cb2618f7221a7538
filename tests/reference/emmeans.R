# Regenerates emmeans.json: marginal means, contrasts with every adjustment, and trends, by emmeans.
#
#   Rscript emmeans.R emmeans.json
#
# Needs R with emmeans, lmerTest, pbkrtest, lme4, nlme, mvtnorm and jsonlite (Debian: r-cran-emmeans r-cran-lmertest
# r-cran-pbkrtest r-cran-lme4 r-cran-nlme r-cran-mvtnorm r-cran-jsonlite). Rows stand in emmeans' own order.
# `unbalanced` is Oats without the rows 1, 5, 8, 23, 40, 41, 60 (from 1); `hole` is Oats without the rows of Victory
# at 0.6, so that one cell is empty. Oats' Block is unordered. emtrends takes forward differences, so its step is
# small here. Infinite degrees of freedom are null. mvtnorm's integrals are good to 1e-3 and take whole df alone.

suppressMessages({library(emmeans); library(lmerTest); library(pbkrtest); library(nlme); library(jsonlite)})
emm_options(msg.interaction = FALSE, msg.nesting = FALSE)
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)
oats <- as.data.frame(Oats); oats$Block <- factor(as.character(oats$Block)); oats$N <- factor(oats$nitro)
cakes <- as.data.frame(lme4::cake); cakes$temperature <- factor(as.character(cakes$temperature))
orthodont <- as.data.frame(Orthodont); orthodont$Subject <- factor(as.character(orthodont$Subject))
frames <- list(oats = oats, unbalanced = oats[-c(1, 5, 8, 23, 40, 41, 60), ],
               hole = droplevels(oats[!(oats$Variety == "Victory" & oats$nitro == 0.6), ]),
               cake = cakes, machines = as.data.frame(Machines), orthodont = orthodont)
models <- list(
  oats_line = c("oats", "yield ~ nitro * Variety + (1 | Block/Variety)"),
  oats = c("oats", "yield ~ N * Variety + (1 | Block/Variety)"),
  unbalanced = c("unbalanced", "yield ~ N * Variety + (1 | Block/Variety)"),
  unbalanced_line = c("unbalanced", "yield ~ nitro + I(nitro^2) + Variety + (1 | Block/Variety)"),
  hole = c("hole", "yield ~ N * Variety + (1 | Block/Variety)"),
  cake = c("cake", "angle ~ recipe * temperature + (1 | recipe:replicate)"),
  machines = c("machines", "score ~ Machine + (Machine | Worker)"),
  orthodont = c("orthodont", "distance ~ age * Sex + (age | Subject)"))
models$weighted <- c("unbalanced", models$unbalanced[2])
fits <- lapply(models, function(m) suppressMessages(lmer(as.formula(m[2]), frames[[m[1]]], control = tight)))
# Row i (from 1) of the weighted fit has the weight 0.5 + (7i mod 11)/4.
frames$unbalanced$w <- 0.5 + ((7 * seq_len(nrow(frames$unbalanced))) %% 11) / 4
fits$weighted <- lmer(as.formula(models$weighted[2]), frames$unbalanced, weights = w, control = tight)

plain <- function(x) {
  d <- as.data.frame(x)
  rename <- c(emmean = "estimate", SE = "std_error", t.ratio = "statistic", p.value = "p_value", lower.CL = "conf_low",
              upper.CL = "conf_high", nitro.trend = "estimate", age.trend = "estimate", z.ratio = "statistic",
              asymp.LCL = "conf_low", asymp.UCL = "conf_high")
  names(d) <- ifelse(names(d) %in% names(rename), rename[names(d)], names(d))
  d[] <- lapply(d, function(v) if (is.factor(v)) as.character(v) else v)
  d
}
out <- list()
keep <- function(kind, model, table, ...) out[[length(out) + 1]] <<- list(kind = kind, model = model, call = list(...), table = plain(table))
R <- c(satterthwaite = "satterthwaite", `kenward-roger` = "kenward-roger", normal = "asymptotic")

means <- function(model, terms, by = NULL, at = NULL, ddf = "satterthwaite", weights = "equal") {
  g <- emmeans(fits[[model]], terms, by = by, at = at, lmer.df = R[[ddf]], weights = weights, data = frames[[models[[model]][1]]])
  keep("means", model, g, terms = I(c(terms, by)), at = at, ddf = ddf, weights = weights)
}
contrasts_of <- function(model, terms, method, adjust, by = NULL, at = NULL, ddf = "satterthwaite", weights = "equal") {
  g <- emmeans(fits[[model]], terms, by = by, at = at, lmer.df = R[[ddf]], weights = weights, data = frames[[models[[model]][1]]])
  set.seed(1)
  keep("contrasts", model, summary(contrast(g, method, adjust = adjust), infer = c(TRUE, TRUE)),
       terms = I(terms), method = method, adjust = adjust, by = by, at = at, ddf = ddf, weights = weights)
}
trends <- function(model, var, by, ddf = "satterthwaite", adjust = NULL) {
  g <- emtrends(fits[[model]], by, var = var, delta.var = 1e-6, lmer.df = R[[ddf]], data = frames[[models[[model]][1]]])
  keep("trends", model, g, var = var, by = by, ddf = ddf)
  if (!is.null(adjust)) keep("trend contrasts", model, summary(pairs(g, adjust = adjust), infer = c(TRUE, TRUE)),
                             var = var, by = by, ddf = ddf, adjust = adjust)
}

for (ddf in c("satterthwaite", "kenward-roger", "normal")) {
  means("oats_line", "Variety", ddf = ddf)
  means("machines", "Machine", ddf = ddf)
  contrasts_of("machines", "Machine", "pairwise", "tukey", ddf = ddf)
  contrasts_of("oats_line", "Variety", "pairwise", "tukey", ddf = ddf)
  trends("oats_line", "nitro", "Variety", ddf = ddf, adjust = "tukey")
}
means("oats_line", "Variety", at = list(nitro = 0.5))
means("oats_line", c("Variety", "nitro"), at = list(nitro = c(0, 0.6)))
means("oats", c("N", "Variety")); means("oats", "N", ddf = "kenward-roger")
means("cake", c("recipe", "temperature")); means("cake", "recipe"); means("cake", "temperature", ddf = "kenward-roger")
for (w in c("equal", "proportional", "cells")) {
  means("unbalanced", "Variety", weights = w)
  means("unbalanced", "N", weights = w, ddf = "kenward-roger")
}
for (w in c("equal", "proportional", "outer", "cells")) means("weighted", "Variety", weights = w)
contrasts_of("weighted", "N", "pairwise", "tukey")  # pbkrtest leaves prior weights out of account
means("unbalanced_line", "Variety"); means("unbalanced_line", "Variety", at = list(nitro = 0.2))
trends("unbalanced_line", "nitro", "Variety")
means("orthodont", "Sex"); means("orthodont", "Sex", by = "age", at = list(age = c(8, 14)))
trends("orthodont", "age", "Sex", adjust = "none")
for (adjust in c("none", "tukey", "holm", "bonferroni", "sidak", "scheffe", "mvt")) {
  contrasts_of("cake", "temperature", "pairwise", adjust)
  contrasts_of("unbalanced", "N", "pairwise", adjust)
}
contrasts_of("cake", "temperature", "revpairwise", "holm"); contrasts_of("cake", "temperature", "poly", "none")
contrasts_of("oats", "N", "poly", "none", ddf = "kenward-roger")
contrasts_of("oats", "N", "trt.vs.ctrl", "mvt"); contrasts_of("oats", "N", "trt.vs.ctrl", "sidak", by = "Variety")
contrasts_of("oats", "N", "pairwise", "tukey", by = "Variety"); contrasts_of("oats", "Variety", "pairwise", "bonferroni", by = "N")
contrasts_of("oats", c("N", "Variety"), "pairwise", "tukey"); contrasts_of("unbalanced", "Variety", "pairwise", "mvt", by = "N")
contrasts_of("unbalanced", "Variety", "pairwise", "scheffe", by = "N")
contrasts_of("orthodont", "Sex", "pairwise", "tukey", by = "age", at = list(age = c(8, 11, 14)))
means("hole", c("N", "Variety")); means("hole", "Variety"); means("hole", "N")
contrasts_of("hole", "Variety", "pairwise", "none", by = "N"); contrasts_of("hole", c("N", "Variety"), "pairwise", "none")
write(toJSON(out, digits = I(10), auto_unbox = TRUE, dataframe = "columns", null = "null", na = "null"), commandArgs(TRUE)[1])
message("emmeans ", packageVersion("emmeans"), ", lmerTest ", packageVersion("lmerTest"), ", pbkrtest ", packageVersion("pbkrtest"), ", mvtnorm ", packageVersion("mvtnorm"), ", ", R.version.string)
