# Regenerates influence.json: leverages, residuals and case deletion by lme4, every refit refined.
#
#   Rscript influence.R influence.json
#
# Needs R with lme4, nlme, mlmRev, numDeriv and jsonlite (Debian: r-cran-lme4 r-cran-nlme r-cran-mlmrev
# r-cran-numderiv r-cran-jsonlite). Deletion is what it says: lmer on the data without the rows, from the same
# start, refined by Newton steps as in lme4.R. The measures are those of influence.ME and HLMdiag, from the refits.

suppressMessages({library(lme4); library(nlme); library(mlmRev); library(numDeriv); library(jsonlite)})

# data, formula, REML, weighted (w of weights.R), the columns to delete by, and rows to delete one by one
models <- list(
  list("sleepstudy", "Reaction ~ Days + (Days | Subject)", TRUE, FALSE, "Subject", c(1, 8, 57, 60, 100)),
  list("sleepstudy", "Reaction ~ Days + (Days | Subject)", FALSE, FALSE, "Subject", 1:20),
  list("sleepstudy", "Reaction ~ Days + (Days | Subject)", TRUE, TRUE, "Subject", c(1, 8, 57, 60, 100)),
  list("Exam", "normexam ~ standLRT + (standLRT | school)", TRUE, FALSE, "school", c(1, 2000)),
  list("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", TRUE, FALSE, c("plate", "sample"), c(1, 50)),
  list("Pastes", "strength ~ 1 + (1 | batch/cask)", TRUE, FALSE, c("batch", "cask:batch"), c(1, 30)),
  list("Machines", "score ~ Machine + (1 | Worker)", TRUE, FALSE, "Worker", c(1, 40)),
  list("Dyestuff2", "Yield ~ 1 + (1 | Batch)", TRUE, FALSE, "Batch", c(1, 17)))

package_of <- function(name)
  if (name %in% c("sleepstudy", "Dyestuff2", "Penicillin", "Pastes")) "lme4" else
  if (name == "Exam") "mlmRev" else "nlme"

data_of <- function(name) {
  d <- as.data.frame(getExportedValue(package_of(name), name))
  d$w <- 0.5 + ((7 * seq_len(nrow(d))) %% 11) / 4
  if (name == "Pastes") d[["cask:batch"]] <- paste(d$batch, d$cask, sep = " / ")
  d
}

refine <- function(f, theta, lower) {
  free <- !(lower == 0 & theta < 1e-4)
  theta[!free] <- 0
  g <- function(x) { t <- theta; t[free] <- x; f(t) }
  x <- theta[free]
  if (any(free)) for (step in 1:6) {
    change <- solve(hessian(g, x), grad(g, x))
    if (max(abs(change)) < 1e-9) break
    if (g(x - change) > g(x) + 1e-8) break
    x <- x - change
  }
  theta[free] <- x
  for (k in which(!free)) stopifnot(f(replace(theta, k, 1e-3)) >= f(theta))
  theta
}

tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-7), calc.derivs = FALSE,
                     check.conv.singular = "ignore", check.nlev.gtr.1 = "stop")
fitted_to <- function(formula, d, reml, weighted) {
  d$.w <- if (weighted) d$w else rep(1, nrow(d))
  formula <- as.formula(formula, env = environment())
  parts <- lFormula(formula, d, REML = reml, weights = .w, control = tight)
  f <- do.call(mkLmerDevfun, parts)
  opt <- optimizeLmer(f, control = tight$optCtrl)
  lower <- environment(f)$lower
  # bobyqa can stop at a false zero (Pastes without cask b of batch E): start once more away from it.
  again <- optimizeLmer(f, start = ifelse(lower == 0 & opt$par < 1e-2, 0.5, opt$par), control = tight$optCtrl)
  if (again$fval < opt$fval) opt <- again
  theta <- refine(f, opt$par, lower)
  f(theta)
  opt$par <- theta
  mkMerMod(environment(f), opt, parts$reTrms, fr = parts$fr)
}
sds <- function(fit) {
  v <- as.data.frame(VarCorr(fit))
  v$sdcor[is.na(v$var2)]  # terms in order, sigma last
}

deleted <- function(m, d, full, by, keep_of, cases) {
  beta <- unname(fixef(full)); V <- unname(as.matrix(vcov(full))); p <- length(beta)
  rows <- lapply(cases, function(case) {
    fit <- fitted_to(m[[2]], droplevels(d[keep_of(case), ]), m[[3]], m[[4]])
    change <- beta - unname(fixef(fit)); Vi <- unname(as.matrix(vcov(fit)))
    list(level = as.character(case),
         cooks_distance = sum(change * solve(V, change)) / p, mdffits = sum(change * solve(Vi, change)) / p,
         covratio = det(Vi) / det(V), dfbetas = as.list(change / sqrt(diag(Vi))),
         change = as.list(sds(fit) - sds(full)))
  })
  list(by = by, cases = rows)
}

records <- lapply(models, function(m) {
  d <- data_of(m[[1]])
  full <- fitted_to(m[[2]], d, m[[3]], m[[4]])
  message(m[[1]], " ", m[[2]])
  hat <- unname(hatvalues(full)); cooks <- unname(cooks.distance(full))
  groups <- lapply(m[[5]], function(g)
    deleted(m, d, full, g, function(case) d[[g]] != case, unique(as.character(d[[g]]))))
  rows <- deleted(m, d, full, "row", function(case) -case, m[[6]])
  list(data = m[[1]], formula = m[[2]], REML = m[[3]], weighted = m[[4]], beta_names = as.list(names(fixef(full))),
       sd_names = as.list(with(as.data.frame(VarCorr(full)), paste(grp, var1)[is.na(var2)])),
       hat = as.list(head(hat, 30)), hat_sum = sum(hat), cooks = as.list(head(cooks, 30)), cooks_sum = sum(cooks),
       rstudent = as.list(head(unname(rstudent(full)), 30)), pearson = as.list(head(unname(residuals(full, "pearson")), 30)),
       deleted = c(groups, list(rows)))
})
versions <- list(lme4 = as.character(packageVersion("lme4")), R = R.version.string)
write(toJSON(list(versions = versions, fits = records), digits = I(12), auto_unbox = TRUE), commandArgs(TRUE)[1])
