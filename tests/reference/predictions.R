# Regenerates predictions.json: predictions of lme4, and their errors from Henderson's mixed-model equations.
#
#   Rscript predictions.R predictions.json
#
# Needs R with lme4, nlme and jsonlite (Debian: r-cran-lme4 r-cran-nlme r-cran-jsonlite). `fit` is
# predict(fit, newdata, re.form, allow.new.levels = TRUE). `error` is √(σ² [x z] C⁻¹ [x z]') with C the
# coefficient matrix of the mixed-model equations, formed densely from getME(fit, c("X", "Z", "Lambda")); a level
# not in the fit adds σ² z'Ψz. `new` is √(σ² z'Ψz) of the terms left out of re.form, `sigma` the residual SD.

suppressMessages({library(lme4); library(nlme); library(jsonlite)})
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.2, rhoend = 1e-9), calc.derivs = FALSE)

# One case: formula, data, new data, re.form, and for every random term of the fit (lme4's order) what the new rows
# have of it: the name of the factor, the model formula of its covariates, whether it belongs to the mean.
case <- function(name, formula, data, new, re.form, terms, REML = TRUE) {
  fit <- lmer(as.formula(formula), data, REML = REML, control = tight)
  X <- getME(fit, "X"); Z <- as.matrix(getME(fit, "Z")); L <- as.matrix(getME(fit, "Lambda"))
  # In b = Λu the equations are singular where Λ is; solved for u, so that any Λ will do.
  ZL <- Z %*% L; q <- ncol(ZL); p <- ncol(X)
  C <- rbind(cbind(crossprod(X), crossprod(X, ZL)), cbind(crossprod(ZL, X), crossprod(ZL) + diag(q)))
  inverse <- solve(C)
  fixed <- model.matrix(delete.response(terms(fit, fixed.only = TRUE)), new)
  z <- matrix(0, nrow(new), q); added <- numeric(nrow(new)); left <- numeric(nrow(new))
  flist <- getME(fit, "flist"); first <- getME(fit, "Gp")[-length(getME(fit, "Gp"))]
  for (t in seq_along(terms)) {
    own <- terms[[t]]
    basis <- model.matrix(as.formula(own$covariates), new)
    levels <- levels(flist[[own$factor]]); label <- as.character(eval(parse(text = own$label), new))
    width <- ncol(basis)
    T <- L[first[t] + seq_len(width), first[t] + seq_len(width), drop = FALSE]
    spread <- rowSums((basis %*% T)^2)
    for (i in seq_len(nrow(new))) {
      f <- match(label[i], levels)
      if (!own$mean) left[i] <- left[i] + spread[i]
      else if (is.na(f)) added[i] <- added[i] + spread[i]
      else z[i, first[t] + (f - 1) * width + seq_len(width)] <- basis[i, ]
    }
  }
  K <- cbind(fixed, z %*% L)
  variance <- rowSums((K %*% inverse) * K) + added
  list(name = name, REML = REML, data = new, sigma = sigma(fit),
       fit = unname(predict(fit, new, re.form = re.form, allow.new.levels = TRUE)),
       error = sigma(fit) * sqrt(variance), new = sigma(fit) * sqrt(left))
}

sleep <- data.frame(Days = c(0, 4.5, 9, 12, 3), Subject = c("308", "309", "372", "new", "330"))
slope <- "Reaction ~ Days + (Days | Subject)"
subject <- function(mean) list(list(factor = "Subject", covariates = "~ Days", label = "Subject", mean = mean))
oats <- data.frame(nitro = c(0, 0.2, 0.3, 0.6, 0.4), Variety = c("Victory", "Marvellous", "Golden Rain", "Victory", "Victory"),
                   Block = c("I", "II", "VI", "VII", "III"))
O <- as.data.frame(Oats); O$Block <- factor(as.character(O$Block))
split <- "yield ~ nitro + (1 | Block) + (1 | Block:Variety)"
plot <- function(inner, outer) list(
  list(factor = "Block:Variety", covariates = "~ 1", label = "paste(Block, Variety, sep = ':')", mean = inner),
  list(factor = "Block", covariates = "~ 1", label = "Block", mean = outer))
pen <- data.frame(plate = c("a", "b", "x", "z", "k"), sample = c("A", "F", "C", "Z", "Z"))
crossed <- "diameter ~ 1 + (1 | plate) + (1 | sample)"
drop <- function(plate, sample) list(
  list(factor = "plate", covariates = "~ 1", label = "plate", mean = plate),
  list(factor = "sample", covariates = "~ 1", label = "sample", mean = sample))

cases <- list(
  case("sleepstudy none", slope, sleepstudy, sleep, NA, subject(FALSE)),
  case("sleepstudy all", slope, sleepstudy, sleep, NULL, subject(TRUE)),
  case("sleepstudy all, ML", slope, sleepstudy, sleep, NULL, subject(TRUE), REML = FALSE),
  case("Oats all", split, O, oats, NULL, plot(TRUE, TRUE)),
  case("Oats Block", split, O, oats, ~ (1 | Block), plot(FALSE, TRUE)),
  case("Oats none", split, O, oats, NA, plot(FALSE, FALSE)),
  case("Penicillin all", crossed, Penicillin, pen, NULL, drop(TRUE, TRUE)),
  case("Penicillin plate", crossed, Penicillin, pen, ~ (1 | plate), drop(TRUE, FALSE)))
write(toJSON(cases, digits = I(12), auto_unbox = TRUE, dataframe = "columns"), commandArgs(TRUE)[1])
message("lme4 ", packageVersion("lme4"), ", ", R.version.string)
