#include "agent/policy/outage.h"

#include <algorithm>
#include <map>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::string_view kElement = "{element}";
constexpr std::string_view kMark = "[planned outage";
constexpr std::size_t kMaxNote = 200;  // bytes of a description in an output

std::string name_of(const PlannedOutage& o) { return "outage " + quoted(o.id) + ": "; }

std::string one_line(std::string_view text) {
  std::string out(utf8_prefix(trimmed(text), kMaxNote));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == '|') c = ' ';
  return out;
}

}  // namespace

OutageEffect parse_outage_effect(std::string_view word) {
  if (word == "hold") return OutageEffect::hold;
  return word == "pass" ? OutageEffect::pass : OutageEffect::mark;
}

bool is_service_template(std::string_view text) {
  const std::size_t at = text.find(kElement);
  return at != std::string_view::npos && text.find(kElement, at + 1) == std::string_view::npos;
}

struct OutageBook::Building {
  std::vector<std::string>& complaints;
  std::map<std::string, Pattern> patterns{};

  // One of each is enough for all who have it.
  Result<Pattern> pattern(const std::string& text) {
    auto known = patterns.find(text);
    if (known != patterns.end()) return known->second;
    if (patterns.size() >= kMostExpressions && text.find("regex:") <= 1)
      return fail(Errc::full, "more than 1000 patterns in one list: " + quoted(text));
    auto compiled = Pattern::compile(text);
    if (compiled && text.find("regex:") <= 1) patterns.emplace(text, *compiled);
    return compiled;
  }
};

OutageBook::OutageBook(std::vector<PlannedOutage> outages, const OutageReading& reading,
                       std::vector<std::string>* complaints)
    : outages_(std::move(outages)), reading_(reading) {
  std::vector<std::string> unheard;
  Building building{complaints ? *complaints : unheard};
  const std::size_t count = std::min(outages_.size(), kMostOutages);
  for (std::size_t i = 0; i < count; ++i) add(i, building);
  if (count < outages_.size())
    building.complaints.push_back("only the first 10000 of " + std::to_string(outages_.size()) +
                                  " outages count");
}

void OutageBook::add(std::size_t index, Building& building) {
  std::vector<std::string>& complaints = building.complaints;
  const PlannedOutage& o = outages_[index];
  auto frequency = parse_frequency(o.frequency.empty() ? "once" : o.frequency);
  if (!frequency) return complaints.push_back(name_of(o) + "frequency: " + frequency.error().what);
  auto when = WindowRule::parse(*frequency, o.start, o.end, reading_.zone);
  if (!when) return complaints.push_back(name_of(o) + when.error().what);
  Rule& rule = rules_.emplace_back();
  rule.outage = index;
  rule.when = *when;
  if (o.nodes.empty() && o.elements.empty()) return for_everybody_.push_back(rules_.size() - 1);
  add_nodes(o, rules_.size() - 1, building);
}

void OutageBook::add_nodes(const PlannedOutage& o, std::size_t rule, Building& building) {
  std::map<std::string_view, Share> shares;
  for (const std::string& node : o.nodes) shares[node].whole = true;
  for (const OutageElement& e : o.elements) {
    if (!o.nodes.empty() && shares.find(e.node) == shares.end()) continue;
    Share& share = shares[e.node];
    share.whole = false;
    auto pattern = building.pattern(e.element);
    if (pattern) {
      share.elements.push_back(std::move(*pattern));
    } else {
      building.complaints.push_back(name_of(o) + pattern.error().what);
    }
  }
  for (auto& [node, share] : shares) {
    share.rule = rule;
    by_node_[std::string(node)].push_back(std::move(share));
  }
}

std::optional<std::string_view> OutageBook::element_of(std::string_view service) const {
  const std::string_view shape = reading_.service_template;
  const std::size_t at = shape.find(kElement);
  const std::string_view before = shape.substr(0, at), after = shape.substr(at + kElement.size());
  if (service.size() <= before.size() + after.size() || !service.starts_with(before) ||
      !service.ends_with(after))
    return std::nullopt;
  return service.substr(before.size(), service.size() - before.size() - after.size());
}

bool OutageBook::covers(const Share& share, const Subject& subject) const {
  if (share.whole) return true;
  if (subject.is_host()) return false;
  auto element = element_of(subject.service);
  if (!element) return false;
  return std::any_of(share.elements.begin(), share.elements.end(),
                     [&](const Pattern& p) { return p.matches(*element); });
}

void OutageBook::consider(std::size_t rule, Wall t, std::optional<Hit>& best) const {
  auto window = rules_[rule].when.at(t);
  if (!window || (best && window->end <= best->window.end)) return;
  best = Hit{&outages_[rules_[rule].outage], *window};
}

std::optional<OutageBook::Hit> OutageBook::find(const Subject& subject, Wall t) const {
  std::optional<Hit> best;
  for (std::size_t rule : for_everybody_) consider(rule, t, best);
  auto shares = by_node_.find(subject.host);
  if (shares == by_node_.end()) return best;
  for (const Share& share : shares->second)
    if (covers(share, subject)) consider(share.rule, t, best);
  return best;
}

const WindowRule* OutageBook::rule_of(const PlannedOutage& outage) const {
  const auto index = static_cast<std::size_t>(&outage - outages_.data());
  auto rule = std::lower_bound(rules_.begin(), rules_.end(), index,
                               [](const Rule& r, std::size_t i) { return r.outage < i; });
  return rule != rules_.end() && rule->outage == index ? &rule->when : nullptr;
}

std::optional<Window> OutageBook::window_at(const PlannedOutage& outage, Wall t) const {
  const WindowRule* rule = rule_of(outage);
  return rule ? rule->at(t) : std::nullopt;
}

std::optional<Window> OutageBook::once(const PlannedOutage& outage) const {
  const WindowRule* rule = rule_of(outage);
  if (!rule || rule->frequency() != Frequency::once) return std::nullopt;
  return rule->once();
}

std::size_t OutageBook::in_force(Wall t) const {
  return static_cast<std::size_t>(std::count_if(
      rules_.begin(), rules_.end(), [&](const Rule& r) { return r.when.at(t).has_value(); }));
}

std::optional<Wall> drop_over(std::vector<PlannedOutage>& outages, const OutageReading& reading,
                              Wall before) {
  std::optional<Wall> first;
  std::erase_if(outages, [&](const PlannedOutage& o) {
    if (!o.frequency.empty() && o.frequency != "once") return false;
    auto when = WindowRule::parse(Frequency::once, o.start, o.end, reading.zone);
    if (!when) return false;
    const Wall end = when->once().end;
    if (end < before) return true;
    if (!first || end < *first) first = end;
    return false;
  });
  return first;
}

void OutageBooks::set(const std::string& source, std::shared_ptr<const OutageBook> book) {
  ++version_;
  for (auto& [name, kept] : books_)
    if (name == source) return void(kept = std::move(book));
  books_.emplace_back(source, std::move(book));
}

void OutageBooks::remove(const std::string& source) {
  std::erase_if(books_, [&](const auto& entry) { return entry.first == source; });
  ++version_;
}

const OutageBook* OutageBooks::book(const std::string& source) const {
  for (const auto& [name, kept] : books_)
    if (name == source) return kept.get();
  return nullptr;
}

std::optional<OutageBooks::Hit> OutageBooks::find(const Subject& subject, Wall t) const {
  std::optional<Hit> best;
  for (const auto& [name, book] : books_) {
    if (best && best->effect > book->effect()) continue;
    auto hit = book->find(subject, t);
    if (!hit) continue;
    const bool stronger = !best || book->effect() > best->effect;
    if (stronger || hit->window.end > best->what.window.end) best = Hit{name, book->effect(), *hit};
  }
  return best;
}

OutageRuling rule_on(const OutageBooks& books, const CheckResult& r, Wall now) {
  OutageRuling ruling;
  auto hit = books.find(r.subject, r.time);
  if (!hit || hit->effect == OutageEffect::pass) return ruling;
  ruling.source = hit->source;
  ruling.id = hit->what.outage->id;
  ruling.effect = OutageEffect::mark;
  ruling.note = outage_note(*hit->what.outage);
  if (hit->effect != OutageEffect::hold) return ruling;
  auto present = books.find(r.subject, now);
  const bool holding = present && present->effect == OutageEffect::hold;
  ruling.effect = holding ? OutageEffect::hold : OutageEffect::pass;
  if (holding) ruling.until = present->what.window.end;
  return ruling;
}

std::string outage_note(const PlannedOutage& outage) {
  const std::string text = one_line(outage.description), change = one_line(outage.change_id);
  std::string note(kMark);
  if (!text.empty()) note += ": " + text;
  if (!change.empty()) note += text.empty() ? ": " + change : " (" + change + ")";
  return note + "]";
}

void mark_output(std::string& output, std::string_view note) {
  const std::size_t end = std::min(output.find('\n'), output.size());
  const std::string_view first(output.data(), end);
  if (first.find(kMark) != std::string_view::npos) return;  // by an agent that it came through
  output.insert(end, (end == 0 ? "" : " ") + std::string(note));
}

}  // namespace checkrelay
