#include <array>

#include "agent/base/text.h"
#include "plugins/dialects/opmantek/source.h"

namespace checkrelay::opmantek {
namespace {

constexpr std::string_view kUsage =
    "test; outages list; outages get ID; outages create --node N… [--element NODE:ELEMENT]… "
    "--start T --end T [--frequency F] [--description D] [--change-id C]; outages update ID …; "
    "outages delete ID";

template <typename... Parts>
auto wrong(const Parts&... parts) {
  std::string what;
  ((what += parts), ...);
  return fail(Errc::invalid, what);
}

struct TextOption {
  std::string_view name{};
  std::optional<std::string> Wish::*member = nullptr;
};
constexpr std::array<TextOption, 5> kTexts{{{"--start", &Wish::start},
                                            {"--end", &Wish::end},
                                            {"--frequency", &Wish::frequency},
                                            {"--description", &Wish::description},
                                            {"--change-id", &Wish::change_id}}};

Result<void> take_element(const std::string& value, Wish& wish) {
  const std::size_t colon = value.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == value.size())
    return wrong("--element: ", checkrelay::quoted(value), " is not NODE:ELEMENT");
  if (!wish.elements) wish.elements.emplace();
  wish.elements->push_back({value.substr(0, colon), value.substr(colon + 1)});
  return {};
}

Result<void> take_option(const std::string& name, const std::string& value, Wish& wish) {
  if (name == "--element") return take_element(value, wish);
  if (name == "--node") {
    if (!wish.nodes) wish.nodes.emplace();
    wish.nodes->push_back(value);
    return {};
  }
  for (const TextOption& option : kTexts) {
    if (option.name != name) continue;
    wish.*option.member = value;
    return {};
  }
  return wrong(checkrelay::quoted(name), " is no option here; there are: ", kUsage);
}

Result<Wish> take_options(std::span<const std::string> words) {
  Wish wish;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string name = words[i], value;
    const std::size_t equals = name.find('=');
    if (name.starts_with("--") && equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return wrong(checkrelay::quoted(name), " wants a value");
    }
    if (auto taken = take_option(name, value, wish); !taken) return tl::unexpected(taken.error());
  }
  return wish;
}

std::optional<Command::Verb> verb_of(std::string_view word) {
  using Verb = Command::Verb;
  constexpr std::array<std::pair<std::string_view, Verb>, 5> kVerbs{{{"list", Verb::list},
                                                                     {"get", Verb::get},
                                                                     {"create", Verb::create},
                                                                     {"update", Verb::update},
                                                                     {"delete", Verb::remove}}};
  for (const auto& [name, verb] : kVerbs)
    if (name == word) return verb;
  return std::nullopt;
}

Result<Command> complete(Command command) {
  const Wish& w = command.wish;
  if (command.verb == Command::Verb::create) {
    if (!w.nodes && !w.elements) return wrong("--node or --element is wanted");
    if (!w.start || !w.end) return wrong("--start and --end are wanted");
    for (const auto& time : {*w.start, *w.end})
      if (w.frequency.value_or("once") == "once" && !is_absolute(time))
        return wrong(not_absolute(time));
  }
  return command;
}

}  // namespace

Result<Command> parse_command(std::span<const std::string> words) {
  Command command;
  if (words.size() == 1 && words[0] == "test") return command;
  auto verb = words.size() >= 2 && words[0] == "outages" ? verb_of(words[1]) : std::nullopt;
  if (!verb) return wrong("there are: ", kUsage);
  command.verb = *verb;
  words = words.subspan(2);
  if (*verb != Command::Verb::list && *verb != Command::Verb::create) {
    if (words.empty() || words[0].empty() || words[0].starts_with('-'))
      return wrong("an ID is wanted; there are: ", kUsage);
    command.id = words[0];
    words = words.subspan(1);
  }
  const bool wishes = *verb == Command::Verb::create || *verb == Command::Verb::update;
  if (!wishes && !words.empty())
    return wrong("nothing is wanted behind ", checkrelay::quoted(command.id));
  auto wish = take_options(words);
  if (!wish) return tl::unexpected(wish.error());
  command.wish = std::move(*wish);
  return complete(std::move(command));
}

}  // namespace checkrelay::opmantek
