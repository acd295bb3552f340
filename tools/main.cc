// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Command line -> sub-command -> exit status. The one place where exceptions become messages:
// one line on standard error, "stint train: train.tsv:17: time 'abc' is not a number".
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "tools/commands.h"
#include "tools/common.h"
#include "tools/tune_process.h"

namespace stint {
namespace {

// Breaks option texts into lines that fit a terminal beside their names.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(kNameColumns);
    label("REQUIRED", "(required)");
    label("SUBCOMMAND", "COMMAND");
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    return Wrap(CLI::Formatter::make_option_desc(option), kColumns - kNameColumns);
  }
  std::string make_description(const CLI::App* app) const override {
    return Wrap(app->get_description(), kColumns) + "\n\n";
  }
  std::string make_subcommand(const CLI::App* sub) const override {
    std::stringstream out;
    CLI::detail::format_help(out, sub->get_name(),
                             Wrap(sub->get_description(), kColumns - kNameColumns), kNameColumns);
    return out.str();
  }

 private:
  static constexpr size_t kNameColumns = 30;
  static constexpr size_t kColumns = 96;

  static std::string Wrap(const std::string& text, size_t width) {
    std::string out;
    size_t column = 0;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      if (column > 0 && column + 1 + (end - begin) > width) {
        out += '\n';
        column = 0;
      } else if (column > 0) {
        out += ' ';
        ++column;
      }
      out.append(text, begin, end - begin);
      column += end - begin;
      begin = end + 1;
    }
    return out;
  }
};

// A file that we open must not get the number of a closed standard stream and then what is
// printed. /dev/null the other way round keeps reads and writes failing.
void HoldStandardStreams() {
  for (int fd = 0; fd < 3; ++fd) {
    if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) {
      std::abort();  // no /dev/null: nothing can be reported either
    }
  }
}

// One line: what the message quotes of a file or of the command line may have control bytes.
int Report(const std::string& who, const std::string& message, int status) {
  std::fprintf(stderr, "%s: %s\n", who.c_str(), Escaped(message).c_str());
  return status;
}

// What CLI11 says, in our words where its own are about CLI11.
std::string ParseMessage(const CLI::ParseError& error) {
  std::string message = error.what();
  for (size_t at = 0; (at = message.find('\n', at)) != std::string::npos;) message[at] = ' ';
  if (message == "A subcommand is required") return "a command is required";
  for (const char* begin : {"The following argument was not expected: ",
                            "The following arguments were not expected: "}) {
    if (message.rfind(begin, 0) != 0) continue;
    std::string rest = message.substr(std::strlen(begin));
    const size_t option = rest.rfind('-', 0) == 0 ? 0 : rest.find(" -");
    if (option == std::string::npos) return "too many arguments: '" + rest + "'";
    rest = rest.substr(option == 0 ? 0 : option + 1);
    return "no option '" + rest.substr(0, rest.find(' ')) + "'";
  }
  const std::string many = ": At Most 1 required but received ";
  if (const size_t at = message.find(many); at != std::string::npos) {
    const std::string count = message.substr(at + many.size());
    return message.substr(0, at) + (count == "2" ? ": given twice" : ": given " + count + " times");
  }
  return message;
}

std::string Hint(const std::string& who) { return " (see " + who + " --help)"; }

int Parse(int argc, char** argv, CLI::App* cli, const std::string& who, bool* done) {
  *done = true;
  try {
    cli->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* app = cli;
    for (const CLI::App* sub : cli->get_subcommands()) app = sub;
    WriteOutput(app->help(app == cli ? "" : "stint"));
    return kExitOk;
  } catch (const CLI::CallForVersion& e) {
    WriteOutput(std::string(e.what()) + "\n");
    return kExitOk;
  } catch (const CLI::ParseError& e) {
    return Report(who, ParseMessage(e) + Hint(who), kExitUsage);
  }
  *done = false;
  return kExitOk;
}

int Main(int argc, char** argv) {
  CLI::App cli(
      "Session-based next-item recommendation: trains a GRU4Rec network on a click log, writes "
      "it as a small model file, and recommends the next items of a session.",
      "stint");
  cli.formatter(std::make_shared<HelpFormatter>());
  cli.set_version_flag("--version", std::string("stint ") + stint_version());
  cli.set_help_flag("-h,--help", "Print this help and exit");
  cli.require_subcommand(1);
  const std::vector<Command> commands = {
      AddTrainCommand(&cli),     AddTuneCommand(&cli),    AddEvaluateCommand(&cli),
      AddRecommendCommand(&cli), AddInspectCommand(&cli), AddVerifyCommand(&cli),
      AddConvertCommand(&cli),   AddDiffCommand(&cli),    AddDeltaCommand(&cli),
      AddApplyCommand(&cli),     AddSynthCommand(&cli)};
  for (CLI::App* sub : cli.get_subcommands(nullptr)) sub->group("Commands");
  cli.footer(
      "stint COMMAND --help says more.\n"
      "Exit status: 0 success; 1 failure; 2 wrong usage; 3 bad data, bad model, failed reading or\n"
      "writing; 130 interrupted.\n"
      "Environment: STINT_TARGET caps the SIMD instructions in use (as `stint inspect` names "
      "them).");
  std::string who = "stint";
  for (const Command& command : commands) {
    if (argc > 1 && command.app->get_name() == argv[1]) who += std::string(" ") + argv[1];
  }
  if (argc > 1 && who == "stint" && argv[1][0] != '-') {
    return Report(who, "no command '" + std::string(argv[1]) + "'" + Hint(who), kExitUsage);
  }
  try {
    bool done = false;
    const int status = Parse(argc, argv, &cli, who, &done);
    if (done) return status;
    const char* target = std::getenv("STINT_TARGET");
    if (target != nullptr && *target != '\0' && stint_set_target(target) != STINT_OK) {
      const std::string message = "STINT_TARGET: this CPU or build has no target '";
      return Report(who, message + target + "'", kExitUsage);
    }
    for (const Command& command : commands) {
      if (command.app->parsed()) return command.run();
    }
    return kExitUsage;
  } catch (const std::bad_alloc&) {
    return Report(who, "out of memory", kExitFailure);
  } catch (const std::invalid_argument& e) {
    return Report(who, e.what() + Hint(who), kExitUsage);
  } catch (const std::runtime_error& e) {
    return Report(who, e.what(), kExitData);
  } catch (const std::exception& e) {
    return Report(who, std::string("internal error: ") + e.what(), kExitFailure);
  }
}

}  // namespace
}  // namespace stint

int main(int argc, char** argv) {
  stint::HoldStandardStreams();
  stint::EndWithParent();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, reported as such
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file over the limit
  return stint::Main(argc, argv);
}
