#include "agent/config/intakes.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "agent/base/account.h"
#include "agent/base/text.h"
#include "agent/config/value.h"

namespace checkrelay {
namespace {

using Places = std::map<std::string, int>;  // path or address -> line of the intake that has it

// What an intake of that type feeds its conversations, where the type is one we know.
std::optional<Framing> framing_of(std::string_view type) {
  if (type == "unix" || type == "tcp") return Framing::stream;
  if (type == "unixgram") return Framing::datagram;
  if (type == "fifo") return Framing::lines;
  if (type == "spool") return Framing::file;
  if (type == "http") return Framing::http;
  return std::nullopt;
}

bool comes_in(const Dialect& dialect, std::string_view type) {
  auto framing = framing_of(type);
  return !framing || dialect.inbound(InboundContext{.framing = *framing}) != nullptr;
}

std::vector<std::string> default_dialects(const Registry& registry, std::string_view type) {
  std::vector<std::string> out;
  for (std::string_view name : {"native", "nagios"}) {
    const Dialect* dialect = registry.dialect(name);
    bool wanted = type != "http" || name == "native";
    if (wanted && dialect && comes_in(*dialect, type)) out.emplace_back(name);
  }
  return out;
}

class IntakeReader {
 public:
  IntakeReader(Reader& reader, const Registry& registry) : reader_(reader), registry_(registry) {}

  void shorthand(const Node* item, const std::string& socket);
  void table(const Node& table);
  std::vector<IntakeConfig> take() { return std::move(intakes_); }

 private:
  const IntakeKind* kind(const Node& table);
  void dialects(const Node& table, IntakeConfig& intake);
  void users(const Node& table, IntakeConfig& intake);
  void user(const Node& table, IntakeConfig& intake);
  void place(const Node& table, const IntakeConfig& intake);
  void door(const Node& table, const IntakeConfig& intake);
  void socket_path(int line, const std::string& key, const std::string& path);
  void accounts(const Node& table, const Options& options);
  void tls(const Node& table, const Options& options);

  Reader& reader_;
  const Registry& registry_;
  std::string where_;
  Places places_;
  std::vector<IntakeConfig> intakes_;
};

void IntakeReader::shorthand(const Node* item, const std::string& socket) {
  const IntakeKind* unix_kind = registry_.intake("unix");
  if (!item || socket.empty() || !unix_kind) return;
  IntakeConfig intake{.type = "unix", .dialects = default_dialects(registry_, "unix")};
  intake.options.set("path", socket);
  socket_path(item->line, "agent.socket", socket);
  reader_.fallbacks(*item, "agent.socket", unix_kind->options, intake.options);
  places_.emplace(socket, item->line);
  intakes_.push_back(std::move(intake));
}

const IntakeKind* IntakeReader::kind(const Node& table) {
  std::string type = reader_.required_text(table, "intake", "type");
  if (type.empty()) return nullptr;
  std::vector<std::string_view> known;
  for (const IntakeKind& k : registry_.intakes) known.push_back(k.name);
  if (auto word = check_word(type, known); !word) {
    reader_.fault(table.find("type")->line, "intake.type", word.error().what);
  }
  return registry_.intake(type);
}

void IntakeReader::table(const Node& table) {
  static constexpr std::array<std::string_view, 3> kOthers{"type", "dialects", "user"};
  const IntakeKind* intake_kind = kind(table);
  if (!intake_kind) return;
  where_ = fmt::format("intake.{}", intake_kind->name);
  IntakeConfig intake{.type = std::string(intake_kind->name)};
  reader_.options(table, where_, intake_kind->options, kOthers, intake.options);
  reader_.fallbacks(table, where_, intake_kind->options, intake.options);
  dialects(table, intake);
  users(table, intake);
  place(table, intake);
  door(table, intake);
  if (const Node* path = table.find("path"); path && intake.type.starts_with("unix"))
    socket_path(path->line, dotted(where_, "path"), intake.options.text("path"));
  accounts(table, intake.options);
  tls(table, intake.options);
  intakes_.push_back(std::move(intake));
}

void IntakeReader::dialects(const Node& table, IntakeConfig& intake) {
  const Node* item = table.find("dialects");
  if (!item) {
    intake.dialects = default_dialects(registry_, intake.type);
    return;
  }
  std::string key = dotted(where_, "dialects");
  intake.dialects = reader_.list(*item, key);
  std::vector<std::string_view> known;
  for (const Dialect* dialect : registry_.dialects) {
    if (comes_in(*dialect, intake.type)) known.push_back(dialect->name());
  }
  for (const std::string& name : intake.dialects) {
    if (auto word = check_word(name, known); !word) {
      reader_.fault(item->line, key, word.error().what);
    }
  }
  if (item->kind == Node::Kind::array && item->items.empty()) {
    reader_.fault(item->line, key, "is empty: nobody could be understood");
  }
}

void IntakeReader::users(const Node& table, IntakeConfig& intake) {
  const Node* item = table.find("user");
  if (!item) return;
  if (intake.type != "http") {
    return reader_.fault(item->line, dotted(where_, "user"), "only an http intake has users");
  }
  if (item->kind != Node::Kind::array) {
    return reader_.fault(item->line, dotted(where_, "user"), "is written as [[intake.user]]");
  }
  for (const Node& one : reader_.tables(*item)) user(one, intake);
}

void IntakeReader::user(const Node& table, IntakeConfig& intake) {
  static constexpr std::array kRows{
      OptionRow{.name = "name", .required = true},
      OptionRow{.name = "password", .kind = OptionKind::secret, .required = true},
      OptionRow{.name = "hosts", .kind = OptionKind::list, .fallback = "*"}};
  Options options;
  std::string where = dotted(where_, "user");
  reader_.options(table, where, kRows, {}, options);
  reader_.fallbacks(table, where, kRows, options);
  UserConfig out{options.text("name"), options.secret("password"), options.list("hosts")};
  for (const UserConfig& other : intake.users) {
    if (other.name == out.name) {
      reader_.fault(table.line, dotted(where, "name"), quoted(out.name) + " is here twice");
    }
  }
  if (options.has("password") && out.password.empty()) {
    reader_.fault(table.line, dotted(where, "password"), "must not be empty");
  }
  if (out.hosts.empty() && table.find("hosts")) {
    reader_.fault(table.line, dotted(where, "hosts"), "is empty: this user could say nothing");
  }
  intake.users.push_back(std::move(out));
}

// Two intakes in one place would fight for it.
void IntakeReader::place(const Node& table, const IntakeConfig& intake) {
  for (std::string_view name : {"path", "listen"}) {
    std::string where = intake.options.text(name);
    if (where.empty() || where.ends_with(":0")) continue;
    auto [other, fresh] = places_.emplace(where, table.line);
    if (fresh) continue;
    const Node* item = table.find(name);
    reader_.fault(
        item ? item->line : table.line, dotted(where_, name),
        fmt::format("{} is taken by the intake of line {}", quoted(where, 200), other->second));
  }
}

// unix(7): what sun_path holds, with its final NUL.
void IntakeReader::socket_path(int line, const std::string& key, const std::string& path) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) return;
  reader_.fault(line, key,
                fmt::format("{} bytes, a socket's path has at most {}: {}", path.size(),
                            sizeof(sockaddr_un::sun_path) - 1, quoted(path, 200)));
}

void IntakeReader::accounts(const Node& table, const Options& options) {
  auto known = [&](std::string_view key, const char* kind, const std::vector<std::string>& names,
                   std::optional<std::uint32_t> (*find)(const std::string&)) {
    const Node* item = table.find(key);
    for (const std::string& name : names) {
      if (item && !find(name))
        reader_.fault(item->line, dotted(where_, key),
                      fmt::format("there is no {} {}", kind, quoted(name)));
    }
  };
  known("allow_users", "user", options.list("allow_users"), user_id);
  known("allow_groups", "group", options.list("allow_groups"), group_id);
  if (options.has("group") && !options.text("group").empty())
    known("group", "group", {options.text("group")}, group_id);
}

void IntakeReader::tls(const Node& table, const Options& options) {
  auto needs = [&](std::string_view given, std::string_view missing) {
    if (options.text(given).empty() || !options.text(missing).empty()) return;
    const Node* item = table.find(given);
    reader_.fault(item ? item->line : table.line, dotted(where_, given),
                  fmt::format("needs {} too", missing));
  };
  needs("tls_cert", "tls_key");
  needs("tls_key", "tls_cert");
  needs("tls_client_ca", "tls_cert");
}

void IntakeReader::door(const Node& table, const IntakeConfig& intake) {
  std::string text = intake.options.text("listen");
  if (text.empty()) return;
  const Node* item = table.find("listen");
  int line = item ? item->line : table.line;
  auto listen = parse_listen(text);
  if (!listen) return reader_.fault(line, dotted(where_, "listen"), listen.error().what);
  if (intake.type == "http" && !listen->loopback && !table.find("user")) {
    reader_.fault(line, dotted(where_, "listen"),
                  quoted(text) +
                      " is not loopback and there is no [[intake.user]]: anybody could hand in "
                      "results");
  }
}

}  // namespace

std::vector<IntakeConfig> read_intakes(Reader& reader, const Node& root, const Registry& registry,
                                       const Options& agent) {
  IntakeReader intakes(reader, registry);
  const Node* agent_table = reader.table(root, "agent");
  intakes.shorthand(agent_table->find("socket"), agent.text("socket"));
  const Node* list = root.find("intake");
  if (list) {
    for (const Node& table : reader.tables(*list)) intakes.table(table);
  } else if (!agent_table->find("socket")) {
    reader.fault(0, "intake", "there is no way in: neither an [[intake]] nor agent.socket");
  }
  return intakes.take();
}

}  // namespace checkrelay
