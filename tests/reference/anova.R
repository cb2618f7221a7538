# Regenerates anova.json: F tests of the terms (types I to III) and t tests of the fixed effects, by Satterthwaite
# and by Kenward and Roger, and Wald chi-squares of type II.
#
#   Rscript anova.R anova.json
#
# Needs R with lmerTest, pbkrtest, car, nlme, mlmRev, numDeriv and jsonlite (Debian: r-cran-lmertest r-cran-pbkrtest
# r-cran-car r-cran-nlme r-cran-mlmrev r-cran-numderiv r-cran-jsonlite). Run it in this folder: the search is the one
# of lme4.R, whose function refine() it reads; lmer starts at that optimum and stays there.

suppressMessages({library(lmerTest); library(pbkrtest); library(nlme); library(mlmRev); library(numDeriv); library(jsonlite)})
for (each in parse("lme4.R")) if (as.character(each[[1]]) == "<-" && as.character(each[[2]]) == "refine") eval(each)

# keep: "all"; "most" leaves out rows by their number, so that no design is balanced; "cell" leaves out a whole cell.
# kr: whether the n × n matrices of pbkrtest fit into memory.
models <- list(
  list("lme4", "sleepstudy", "Reaction ~ Days + (1 | Subject)"),
  list("lme4", "sleepstudy", "Reaction ~ Days + (Days | Subject)"),
  list("lme4", "sleepstudy", "Reaction ~ Days + (Days || Subject)", keep = "most"),
  list("lme4", "sleepstudy", "Reaction ~ Days + (Days | Subject)", keep = "most"),
  list("lme4", "Dyestuff2", "Yield ~ 1 + (1 | Batch)"),
  list("lme4", "Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
  list("lme4", "Pastes", "strength ~ 1 + (1 | batch) + (1 | sample)"),
  list("lme4", "cake", "angle ~ recipe * temp + (1 | recipe:replicate)"),
  list("lme4", "cake", "angle ~ recipe * temp + (1 | recipe:replicate)", keep = "most"),
  list("lme4", "cake", "angle ~ temp * recipe + (1 | replicate)", keep = "most"),
  list("lme4", "cake", "angle ~ recipe + recipe:temp + (1 | replicate)", keep = "most"),
  list("lme4", "cake", "angle ~ recipe + temp + (1 | recipe:replicate)", keep = "cell"),
  list("nlme", "Orthodont", "distance ~ age * Sex + (1 | Subject)"),
  list("nlme", "Orthodont", "distance ~ age * Sex + (age | Subject)", keep = "most"),
  list("nlme", "Machines", "score ~ Machine + (1 | Worker)"),
  list("nlme", "Machines", "score ~ Machine + (Machine | Worker)"),
  list("nlme", "Machines", "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", keep = "most"),
  list("nlme", "Machines", "score ~ 0 + Machine + (1 | Worker)", keep = "most"),
  list("nlme", "Oats", "yield ~ nitro * Variety + (1 | Block/Variety)"),
  list("nlme", "Oats", "yield ~ dose * Variety + (1 | Block/Variety)"),
  list("nlme", "Oats", "yield ~ dose * Variety + (1 | Block/Variety)", keep = "most"),
  list("nlme", "Oats", "yield ~ Variety * nitro + (1 | Block)", keep = "most"),
  list("nlme", "Assay", "logDens ~ sample * dilut + (1 | Block) + (1 | Block:sample) + (1 | Block:dilut)"),
  list("nlme", "BodyWeight", "weight ~ Time * Diet + (Time | Rat)"),
  list("mlmRev", "Early", "cog ~ tosx + trt:tosx + (tosx | id)"),
  list("mlmRev", "Hsb82", "mAch ~ cses + (cses | school)", kr = FALSE),
  list("mlmRev", "Hsb82", "mAch ~ cses * sector * minrty + (1 | school)", kr = FALSE),
  list("mlmRev", "Hsb82", "mAch ~ sx * minrty + cses + (cses | school)", keep = "few"),
  list("mlmRev", "Exam", "normexam ~ standLRT + (standLRT | school)"),
  list("mlmRev", "Exam", "normexam ~ standLRT * type + sex + (1 | school)", keep = "few"),
  list("mlmRev", "ScotsSec", "attain ~ sex + (1 | primary) + (1 | second)", kr = FALSE),
  list("mlmRev", "ScotsSec", "attain ~ sex * social + (1 | primary) + (1 | second)", keep = "few"),
  list("mlmRev", "Chem97", "score ~ gcsecnt + (1 | school) + (1 | lea)", kr = FALSE))

data_of <- function(package, name, keep) {
  d <- as.data.frame(getExportedValue(package, name))
  if (name == "Early") d$tosx <- d$age - 0.5
  if (name == "cake") d$temp <- factor(as.character(d$temperature))
  if (name == "Oats") d$dose <- factor(as.character(d$nitro))
  for (column in names(d)) if (is.ordered(d[[column]])) d[[column]] <- factor(as.character(d[[column]]))
  i <- seq_len(nrow(d))
  d[switch(keep, all = i > 0, most = (7 * i) %% 11 > 2, few = (7 * i) %% 11 < 4,
           cell = (d$recipe != "C") | (d$temp != "225")), ]
}

f_table <- function(fit, type, ddf) {
  table <- suppressMessages(anova(fit, type = type, ddf = ddf))
  list(term = as.list(rownames(table)), sum_sq = as.list(table[, "Sum Sq"]), num_df = as.list(table[, "NumDF"]),
       den_df = as.list(table[, "DenDF"]), statistic = as.list(table[, "F value"]), p_value = as.list(table[, "Pr(>F)"]))
}

fit_one <- function(package, name, formula, keep = "all", kr = TRUE) {
  message(name, ": ", formula, " ", keep)
  d <<- data_of(package, name, keep)
  f <- as.formula(formula)
  parts <- lFormula(f, d)
  criterion <- do.call(mkLmerDevfun, parts)
  start <- optimizeLmer(criterion, optimizer = "bobyqa", control = list(rhobeg = 0.2, rhoend = 1e-7))
  best <- refine(criterion, start$par, environment(criterion)$lower)
  fit <- suppressMessages(lmerTest::lmer(f, d, start = best$theta, control = lmerControl(optimizer = NULL, calc.derivs = FALSE)))
  ddfs <- c("Satterthwaite", if (kr) "Kenward-Roger")
  out <- list(data = name, formula = formula, keep = keep, theta = as.list(unname(getME(fit, "theta"))), t = list(), F = list())
  for (ddf in ddfs) {
    took <- system.time(table <- coef(summary(fit, ddf = ddf)))[["elapsed"]]
    out$t[[ddf]] <- list(names = as.list(rownames(table)), estimate = as.list(unname(table[, "Estimate"])),
                         std_error = as.list(unname(table[, "Std. Error"])), df = as.list(unname(table[, "df"])),
                         statistic = as.list(unname(table[, "t value"])), p_value = as.list(unname(table[, "Pr(>|t|)"])),
                         seconds = took)
    if (ddf == "Kenward-Roger") {  # lmerTest leaves the unadjusted errors in the table
      adjusted <- vcovAdj(fit)
      out$t[[ddf]]$adjusted <- as.list(unname(sqrt(diag(as.matrix(adjusted)))))
    }
    if (length(attr(terms(fit), "term.labels")))
      for (type in c("I", "II", "III")) out$F[[ddf]][[type]] <- f_table(fit, type, ddf)
  }
  if (length(attr(terms(fit), "term.labels"))) {
    wald <- car::Anova(fit, type = 2, test.statistic = "Chisq")
    out$chisq <- list(term = as.list(rownames(wald)), statistic = as.list(wald[, "Chisq"]), df = as.list(wald[, "Df"]),
                      p_value = as.list(wald[, "Pr(>Chisq)"]))
  }
  out
}

fits <- lapply(models, function(m) do.call(fit_one, m))
versions <- list(lmerTest = as.character(packageVersion("lmerTest")), pbkrtest = as.character(packageVersion("pbkrtest")),
                 car = as.character(packageVersion("car")), lme4 = as.character(packageVersion("lme4")), R = R.version.string)
write(toJSON(list(versions = versions, fits = fits), digits = 15, auto_unbox = TRUE, na = "null"), commandArgs(TRUE)[1])
