#include "agent/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

bool asks_for_help(const std::string& word) {
  return word == "-h" || word == "--help" || word == "help";
}

bool takes_a_value(const std::string& word) {
  return word == "-C" || word == "--socket" || word == "--config";
}

// How many of the first words are options that may precede the command.
std::size_t leading_options(const std::vector<std::string>& arguments) {
  std::size_t i = 0;
  while (i < arguments.size()) {
    if (takes_a_value(arguments[i]) && i + 1 < arguments.size()) {
      i += 2;
    } else if (arguments[i].starts_with("--config=") || arguments[i].starts_with("--socket=")) {
      i += 1;
    } else {
      break;
    }
  }
  return i;
}

std::string unknown_option(const Command& command, const std::string& word) {
  std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const Flag& flag : command.flags) names.push_back("--" + long_name(flag));
  std::vector<std::string_view> views(names.begin(), names.end());
  std::string what = checkrelay::quoted(name) + " is no option of this command";
  if (auto near = closest(name, views)) what += "; did you mean \"" + std::string(*near) + "\"?";
  return what;
}

struct Storage {
  std::map<std::string, std::string> values;
  std::map<std::string, bool> switches;
  std::vector<std::string> rest;
};

void declare(CLI::App& app, const Command& command, Storage& storage) {
  app.set_help_flag();
  app.allow_extras();
  for (const Flag& flag : command.flags) {
    std::string name = long_name(flag);
    if (flag.value.empty()) {
      app.add_flag(std::string(flag.names), storage.switches[name]);
    } else {
      app.add_option(std::string(flag.names), storage.values[name]);
    }
  }
  if (!command.positional.empty()) app.add_option(std::string(command.positional), storage.rest);
}

Arguments collect(const CLI::App& app, const Command& command, Storage& storage) {
  Arguments out;
  for (const Flag& flag : command.flags) {
    std::string name = long_name(flag);
    if (app.count("--" + name) == 0) continue;
    if (flag.value.empty()) {
      out.switches.insert(name);
    } else {
      out.values[name] = storage.values[name];
    }
  }
  out.rest = std::move(storage.rest);
  return out;
}

const Flag* flag_named(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  for (const Flag& flag : command.flags)
    for (std::string_view given : split(flag.names, ','))
      if (given == name) return &flag;
  return nullptr;
}

Result<Arguments> parse_verbatim(const Command& command, const std::vector<std::string>& words) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Flag* flag = flag_named(command, words[i]);
    const std::size_t equals = words[i].find('=');
    if (!flag) {
      out.rest.push_back(words[i]);
    } else if (flag->value.empty()) {
      out.switches.insert(long_name(*flag));
    } else if (equals != std::string::npos) {
      out.values[long_name(*flag)] = words[i].substr(equals + 1);
    } else if (i + 1 < words.size()) {
      out.values[long_name(*flag)] = words[++i];
    } else {
      return fail(Errc::invalid, words[i] + " wants a value");
    }
  }
  return out;
}

// How many of `words` the command's own options are; for commands that wrap another.
std::size_t count_options(const Command& command, const std::vector<std::string>& words) {
  std::size_t i = 0;
  while (i < words.size() && words[i].size() > 1 && words[i][0] == '-' && words[i] != "--") {
    const Flag* flag = flag_named(command, words[i]);
    bool apart = flag && !flag->value.empty() && words[i].find('=') == std::string::npos;
    i += apart ? 2 : 1;
  }
  return std::min(i, words.size());
}

Result<Arguments> parse(const Command& command, std::vector<std::string> words);

Result<Arguments> parse_wrapper(Command command, const std::vector<std::string>& words) {
  command.wraps = false;
  auto begin = words.begin() + static_cast<std::ptrdiff_t>(count_options(command, words));
  auto out = parse(command, {words.begin(), begin});
  if (begin != words.end() && *begin == "--") ++begin;
  if (out) out->rest.assign(begin, words.end());
  return out;
}

Result<Arguments> parse(const Command& command, std::vector<std::string> words) {
  if (command.verbatim) return parse_verbatim(command, words);
  if (command.wraps) return parse_wrapper(command, words);
  CLI::App app;
  Storage storage;
  declare(app, command, storage);
  try {
    std::reverse(words.begin(), words.end());  // as CLI11 wants a vector
    app.parse(words);
  } catch (const CLI::Error& e) {
    return fail(Errc::invalid, e.what());
  }
  std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return collect(app, command, storage);
  bool option = extras[0].size() > 1 && extras[0][0] == '-';
  return fail(Errc::invalid, option ? unknown_option(command, extras[0])
                                    : checkrelay::quoted(extras[0]) + " was not expected");
}

int print_version() {
  print(std::string("checkrelay ") + CHECKRELAY_VERSION + "\n");
  return kExitOk;
}

// Without a command, or with one that is none.
int no_command(const std::vector<std::string>& words, const std::string& what) {
  if (words.empty() || asks_for_help(words[0])) {
    print(overview());
    return words.empty() ? kExitUsage : kExitOk;
  }
  const bool family = is_family(words[0]) && (words.size() == 1 || words[1].starts_with('-'));
  if (!family) return usage_error("", what);
  print(overview(words[0]));
  return words.size() == 1 ? kExitUsage : kExitOk;
}

int run_command(const Command& command, std::vector<std::string> words, const Handlers& handlers) {
  auto arguments = parse(command, std::move(words));
  if (!arguments) return usage_error(command.name, arguments.error().what);
  if (arguments->has("help")) {
    print(help(command, look_around(*arguments)));
    return kExitOk;
  }
  if (command.name == "version") return print_version();
  auto handler = handlers.find(command.name);
  if (handler == handlers.end()) return usage_error(command.name, "is not in this program");
  return handler->second(*arguments);
}

}  // namespace

int usage_error(std::string_view command, std::string_view what) {
  std::string name = "checkrelay" + std::string(command.empty() ? "" : " ") + std::string(command);
  std::fprintf(stderr, "%s: %.*s\nTry '%s --help'.\n", name.c_str(), static_cast<int>(what.size()),
               what.data(), name.c_str());
  return kExitUsage;
}

std::string command_word(const std::vector<std::string>& arguments) {
  std::size_t lead = leading_options(arguments);
  return lead < arguments.size() ? arguments[lead] : "";
}

int run_cli(std::vector<std::string> arguments, const Handlers& handlers) {
  // What precedes the command goes behind it, where its own options are.
  std::size_t lead = leading_options(arguments);
  std::vector<std::string> words(arguments.begin() + static_cast<std::ptrdiff_t>(lead),
                                 arguments.end());
  arguments.resize(lead);
  if (!words.empty() && words[0] == "--version") return print_version();
  if (words.size() > 1 && words[0] == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  auto command = find_command(words);
  if (!command) return no_command(words, command.error().what);
  std::ptrdiff_t count = (*command)->name.find(' ') == std::string_view::npos ? 1 : 2;
  arguments.insert(arguments.end(), words.begin() + count, words.end());
  return run_command(**command, std::move(arguments), handlers);
}

}  // namespace checkrelay
