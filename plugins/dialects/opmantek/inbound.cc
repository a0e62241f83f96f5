#include "plugins/dialects/opmantek/inbound.h"

#include <nlohmann/json.hpp>

#include "agent/base/json.h"
#include "agent/base/percent.h"
#include "agent/base/text.h"
#include "plugins/dialects/opmantek/wire.h"

namespace checkrelay::opmantek {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr Duration kSessionLife = std::chrono::hours(1);

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

// "/en/omk/admin" and "/omk/admin" taken off; none where it is neither.
std::optional<std::string_view> behind_admin(std::string_view path) {
  for (std::string_view root : {"/en/omk/admin", "/omk/admin"})
    if (path.starts_with(root)) return path.substr(root.size());
  return std::nullopt;
}

struct Place {
  bool login = false;
  bool v2 = false;
  std::string id{};  // empty: the list
};

std::optional<Place> place_of(std::string_view path) {
  auto rest = behind_admin(path);
  if (!rest) return std::nullopt;
  if (rest->ends_with(".json")) rest->remove_suffix(5);
  if (*rest == "/login") return Place{true, false, ""};
  if (rest->starts_with("/api/")) rest->remove_prefix(4);
  const bool v2 = rest->starts_with("/v2/outages");
  if (!v2 && !rest->starts_with("/v3/outages")) return std::nullopt;
  rest->remove_prefix(std::string_view("/v3/outages").size());
  if (rest->empty() || *rest == "/") return Place{false, v2, ""};
  if (rest->front() != '/') return std::nullopt;
  return Place{false, v2, percent_decoded(rest->substr(1))};
}

Message refusal(int status, std::string_view what) {
  std::string body;
  JsonWriter(body).begin_object().key("error").text(what).end_object();
  return Message::response(status, std::move(body), kJson);
}

// A form, or JSON; both are documented.
Credentials credentials_in(const Message& in) {
  std::string user, password;
  const std::string* type = in.header("Content-Type");
  if (type && lower(*type).starts_with(kJson)) {
    const auto json = nlohmann::json::parse(in.body, nullptr, false);
    auto text = [&](const char* key) {
      const bool there = json.is_object() && json.contains(key) && json.at(key).is_string();
      return there ? json.at(key).get<std::string>() : std::string();
    };
    return {text("username"), Secret(text("password"))};
  }
  for (std::string_view pair : split(in.body, '&')) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string name = form_decoded(pair.substr(0, equals));
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    if (name == "username") user = form_decoded(value);
    if (name == "password") password = form_decoded(value);
  }
  return {std::move(user), Secret(std::move(password))};
}

class Answering : public Conversation {
 public:
  explicit Answering(InboundContext context) : context_(std::move(context)) {}

  void start(Instant, Actions&) override {}
  void receive(Message in, Instant now, Actions& out) override {
    if (in.kind == Message::Kind::request) out.send.push_back(answer_to(in, now));
  }
  void finish(Instant, Actions& out) override { out.close = true; }
  void settle(Ticket, std::span<const Outcome>, Instant, Actions&) override {}

 private:
  Message answer_to(const Message& in, Instant now) const {
    auto place = place_of(path_of(in.target));
    if (!place) return refusal(404, "no such resource");
    if (place->login) return log_in(in, now);
    if (!context_.authenticated) return refusal(401, "You are not authenticated.");
    if (in.method == "GET" || in.method == "HEAD") return read(*place, now);
    Message m = refusal(405, "outages can be read here, not changed");
    m.headers.push_back({"Allow", "GET, HEAD"});
    return m;
  }

  Message log_in(const Message& in, Instant now) const {
    if (in.method != "POST") {
      Message m = refusal(405, "a login is a POST");
      m.headers.push_back({"Allow", "POST"});
      return m;
    }
    if (!context_.logins) return refusal(404, "no logins here");
    auto token = context_.logins->open(credentials_in(in), kSessionLife, now);
    if (!token) return refusal(401, "Invalid username or password");
    Message m = Message::response(200, R"({"success":1})", kJson);
    m.headers.push_back({"Set-Cookie", std::string(kCookie) + "=" + token->reveal() +
                                           "; path=/; HttpOnly; SameSite=Strict"});
    return m;
  }

  Message read(const Place& place, Instant now) const {
    const auto known = context_.outages ? context_.outages(now.wall) : std::vector<KnownOutage>();
    std::string list = "[";
    for (const KnownOutage& k : known) {
      if (place.v2 && !k.outage.elements.empty()) continue;
      std::string one = to_json(k.outage, k.current, place.v2);
      if (!place.id.empty() && k.outage.id == place.id)
        return Message::response(200, std::move(one), kJson);
      list += (list.size() > 1 ? "," : "") + one;
    }
    if (place.id.empty()) return Message::response(200, list + "]", kJson);
    return refusal(
        404, checkrelay::quoted(place.id) + " does not exist, Please enter a valid Outage id.");
  }

  InboundContext context_;
};

}  // namespace

bool owns_path(std::string_view path) { return place_of(path).has_value(); }

std::unique_ptr<Conversation> make_inbound(const InboundContext& context) {
  return std::make_unique<Answering>(context);
}

}  // namespace checkrelay::opmantek
