# Regenerates findings.json: the numbers behind diagnose(), by lme4 and car.
#
#   Rscript findings.R findings.json
#
# Needs R with lme4, mlmRev, nlme, car and jsonlite (Debian: r-cran-lme4 r-cran-mlmrev r-cran-nlme r-cran-car
# r-cran-jsonlite). vif: car's GVIF^(1/df). contextual: the level means added to the model at the same theta.
# levene: analysis of variance of |rstudent| over the levels with 5 rows and more, F divided as rows.py says.

suppressMessages({library(lme4); library(mlmRev); library(nlme); library(car); library(jsonlite)})

models <- list(
  list("Exam", "normexam ~ standLRT + (standLRT | school)", "standLRT", "school"),
  list("Exam", "normexam ~ standLRT + sex + (1 | school)", "standLRT", "school"),
  list("Exam", "normexam ~ standLRT + sex + schgend + vr + (1 | school)", "standLRT", "school"),
  list("egsingle", "math ~ year + grade + (1 | schoolid)", "year", "schoolid"),
  list("Chem97", "score ~ gcsecnt + gender + (1 | school) + (1 | lea)", "gcsecnt", "lea"),
  list("Hsb82", "mAch ~ ses + meanses + sector + (ses | school)", NULL, "school"),
  list("Orthodont", "distance ~ age * Sex + (age | Subject)", NULL, "Subject"))

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)
at <- function(formula, d, theta) {
  parts <- lFormula(formula, d)
  f <- do.call(mkLmerDevfun, parts)
  f(theta)
  mkMerMod(environment(f), list(par = theta, fval = f(theta), conv = 0), parts$reTrms, fr = parts$fr)
}

records <- lapply(models, function(m) {
  package <- if (m[[1]] == "Orthodont") "nlme" else "mlmRev"
  d <- as.data.frame(getExportedValue(package, m[[1]]))
  if (m[[1]] == "egsingle") d$grade <- as.numeric(as.character(d$grade))
  fit <- lmer(as.formula(m[[2]]), d, control = tight)
  message(m[[1]], " ", m[[2]])
  contextual <- NULL
  if (!is.null(m[[3]])) {
    d$between <- ave(d[[m[[3]]]], d[[m[[4]]]])
    wider <- at(update(as.formula(m[[2]]), . ~ . + between), d, getME(fit, "theta"))
    table <- coef(summary(wider))
    contextual <- list(difference = table["between", "Estimate"], t = table["between", "t value"],
                       within = table[m[[3]], "Estimate"])
  }
  found <- if (length(attr(terms(fit), "term.labels")) > 1) vif(fit) else NULL
  h <- hatvalues(fit); size <- abs(rstudent(fit)); g <- factor(as.character(d[[m[[4]]]]))
  used <- g %in% names(which(table(g) >= 5))
  levene <- NULL
  if (any(used)) {
    table <- anova(lm(size[used] ~ droplevels(g[used])))
    k <- (1 / pi) / (1 - 2 / pi)
    F <- table[1, "F value"] / (1 + k * mean(h[used] / (1 - h[used])))
    levene <- list(F = F, p = pf(F, table[1, "Df"], table[2, "Df"], lower.tail = FALSE))
  }
  list(data = m[[1]], formula = m[[2]], column = m[[3]], factor = m[[4]],
       vif = if (is.null(found)) NULL else list(names = as.list(if (is.matrix(found)) rownames(found) else names(found)),
                                                gvif = as.list(unname(if (is.matrix(found)) found[, 3]^2 else found))),
       contextual = contextual,
       levene = levene)
})
versions <- list(lme4 = as.character(packageVersion("lme4")), car = as.character(packageVersion("car")), R = R.version.string)
write(toJSON(list(versions = versions, fits = records), digits = I(12), auto_unbox = TRUE, null = "null"), commandArgs(TRUE)[1])
