// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The command line of `stint train` -> what the run needs to know.
#include "tools/train_arguments.h"

#include <charconv>
#include <stdexcept>

#include "tools/arguments.h"

namespace stint {
namespace {

// "5%" or "9000".
void ParseValidation(const std::string& text, TrainArguments* arguments) {
  const bool percent = !text.empty() && text.back() == '%';
  const char* end = text.data() + text.size() - (percent ? 1 : 0);
  std::from_chars_result result = {};
  arguments->validation_sessions = 0;
  arguments->validation_percent = 0;
  if (percent) {
    result = std::from_chars(text.data(), end, arguments->validation_percent);
  } else {
    result = std::from_chars(text.data(), end, arguments->validation_sessions);
  }
  const bool in_range =
      percent ? arguments->validation_percent > 0 && arguments->validation_percent < 100
              : arguments->validation_sessions >= 1;
  if (result.ec != std::errc() || result.ptr != end || !in_range) {
    throw CLI::ValidationError("--validate-last",
                               "'" + text +
                                   "' is neither a number of sessions from 1 on nor a share "
                                   "between 0% and 100%, such as 5%");
  }
}

void AddNetworkOptions(CLI::App* app, TrainArguments* arguments) {
  Options& options = arguments->options;
  app->add_option_function<std::string>(
         "--layers",
         [&options](const std::string& text) {
           const std::vector<uint64_t> units = ParseIntegers("--layers", text, 1, 16384);
           options.layers.assign(units.begin(), units.end());
         },
         "Hidden units of each GRU layer, with commas between; 1 to 16 layers of 1 to 16384 "
         "units. The last is the width of the item embedding too")
      ->type_name("N,...")
      ->default_str("100")
      ->group("Network");
  AddNamed(app, "--gru-form", {GruForm::kResetAfter, GruForm::kResetBefore}, &options.gru_form,
           "reset_after or reset_before: where the reset gate stands, after (as in PyTorch) or "
           "before (as in the paper) the recurrent product. Alike in quality, the first is faster")
      ->group("Network");
}

void AddLossOptions(CLI::App* app, TrainArguments* arguments) {
  Options& options = arguments->options;
  AddNamed(app, "--loss", {Loss::kCrossEntropy, Loss::kBprMax}, &options.loss,
           "cross-entropy or bpr-max: what training minimizes over target and negatives")
      ->group("Loss");
  app->add_option_function<std::string>(
         "--final-activation",
         [arguments](const std::string& text) {
           arguments->options.final_activation = ParseActivation("--final-activation", text);
           arguments->final_activation_given = true;
         },
         "Function of the scores in training: softmax for the cross-entropies; linear, relu, tanh, "
         "leaky-ALPHA, elu-ALPHA or selu-SCALE-ALPHA for the others. If not given: linear for bpr, "
         "tanh for top1 and top1-max, elu-0.5 for bpr-max")
      ->type_name("NAME")
      ->group("Loss");
  AddReal(app, "--bpreg", &options.bpreg,
          "Score regularization of bpr-max, 0 to 1e6 (arXiv 1706.03847, equation 13)")
      ->each([arguments](const std::string&) { arguments->bpreg_given = true; })
      ->group("Loss");
  AddReal(app, "--logq", &options.logq,
          "Correction of cross-entropy for how often popular items are sampled, 0 (off) to 10; 1 "
          "is the full correction")
      ->group("Loss");
}

void AddSamplingOptions(CLI::App* app, TrainArguments* arguments) {
  Options& options = arguments->options;
  AddInteger(app, "--batch-size", &options.batch_size, 1, 65536,
             "Sessions side by side in a mini-batch, 1 to 65536; no more than there are")
      ->group("Sampling");
  AddInteger(app, "--negatives", &options.negatives, 0, 1 << 24,
             "Items drawn as negatives for each mini-batch, shared by its rows, 0 to 16777216. "
             "With 0 the targets of the other rows are the negatives")
      ->group("Sampling");
  AddReal(app, "--sample-alpha", &options.sample_alpha,
          "Negatives are drawn by popularity to this power, 0 (all alike) to 2")
      ->group("Sampling");
  AddReal(app, "--dropout-embedding", &options.dropout_embedding,
          "Share of the item embedding that is dropped in training, in [0, 1)")
      ->group("Regularization");
  AddReal(app, "--dropout-hidden", &options.dropout_hidden,
          "Share of each layer's hidden state that is dropped in training, in [0, 1)")
      ->group("Regularization");
}

void AddOptimizerOptions(CLI::App* app, TrainArguments* arguments) {
  Options& options = arguments->options;
  AddReal(app, "--learning-rate", &options.learning_rate, "Step size of Adagrad, 1e-9 to 1e3")
      ->group("Optimizer");
  AddReal(app, "--momentum", &options.momentum, "Share of the last step that goes on, in [0, 1)")
      ->group("Optimizer");
  AddReal(app, "--epsilon", &options.epsilon,
          "Added to the sum of squares inside the root, 1e-20 to 1")
      ->group("Optimizer");
}

void AddRunOptions(CLI::App* app, TrainArguments* arguments) {
  Options& options = arguments->options;
  AddInteger(app, "--epochs", &options.epochs, 1, 1000000,
             "Passes over the training sessions, 1 to 1000000");
  app->add_option_function<std::string>(
         "--validate-last",
         [arguments](const std::string& text) { ParseValidation(text, arguments); },
         "Keep the last sessions by start out of training, a number of them or a share such as "
         "5%, and measure recall@20 and MRR@20 on them after each epoch, with the weights as they "
         "would be written. The epoch with the best recall is kept; without this the last one")
      ->type_name("N|P%");
  AddInteger(app, "--patience", &options.patience, 0, 1000000,
             "Stop after so many epochs without a better recall@20; 0 is never. Needs "
             "--validate-last");
  app->add_flag("--refit", arguments->refit,
                "When validation has found the best number of epochs, train anew on all sessions "
                "for that many. Needs --validate-last");
  AddInteger(app, "--seed", &options.seed, 0, UINT64_MAX,
             "Seed of all random numbers, any 64-bit number. The same seed, options and log give "
             "the same model, bit for bit");
  AddThreadsOption(app, &options.threads);
  AddNamed(app, "--dtype", {DType::kInt8, DType::kF32}, &arguments->dtype,
           "int8 or f32: the weights in the model file. int8 is a quarter of the size, faster, and "
           "gives the same bits on every device; f32 is as trained");
  app->add_flag("--quiet", arguments->quiet, "Print warnings and errors alone on standard error");
  app->add_flag("--json", arguments->json,
                "Print a JSON object about the run on standard output when it is done");
  app->add_flag("--no-progress", arguments->no_progress,
                "No progress bar or lines, only one line an epoch");
}

}  // namespace

void AddTrainOptions(CLI::App* app, TrainArguments* arguments) {
  app->add_option("LOG", arguments->log,
                  "Click log: TSV or CSV with a header, rows in any order; plain, gzip or zstd "
                  "(told by the content); - is standard input")
      ->required();
  app->add_option("--out", arguments->out,
                  "Model file to write; it is put in place when it is complete, so that an older "
                  "one stays as it is until then. If training diverges in its first epoch an older "
                  "one is kept, and the last good state goes to MODEL.diverged")
      ->required()
      ->type_name("MODEL");
  AddRunOptions(app, arguments);
  AddNetworkOptions(app, arguments);
  AddLossOptions(app, arguments);
  AddSamplingOptions(app, arguments);
  AddOptimizerOptions(app, arguments);
  AddReadOptions(app, &arguments->read);
}

void CompleteTrainArguments(TrainArguments* arguments) {
  Options& options = arguments->options;
  if (!arguments->final_activation_given) {
    options.final_activation = DefaultFinalActivation(options.loss);
  }
  Validate(options);
  if (arguments->bpreg_given && options.loss != Loss::kBprMax) {
    throw std::invalid_argument("--bpreg: only bpr-max has a score regularization");
  }
  if (!arguments->Validates() && options.patience > 0) {
    throw std::invalid_argument("--patience: needs --validate-last");
  }
  if (!arguments->Validates() && arguments->refit) {
    throw std::invalid_argument("--refit: needs --validate-last");
  }
  if (arguments->out.empty()) throw std::invalid_argument("--out: the name is empty");
}

}  // namespace stint
