// Planned outages: which results lie in one, and what that does to them. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/model/check_result.h"
#include "agent/model/planned_outage.h"
#include "agent/policy/pattern.h"
#include "agent/policy/window.h"
#include "agent/policy/zone.h"

namespace checkrelay {

// What a window does to results whose own time lies in it.
enum class OutageEffect {
  pass,  // nothing
  mark,  // the output says so
  hold,  // kept until the subject is in no window any more, then the newest alone is delivered
};
[[nodiscard]] OutageEffect parse_outage_effect(std::string_view word);  // one that passed its row

// How a source's outages are to be read.
struct OutageReading {
  Zone zone{};
  OutageEffect effect = OutageEffect::mark;
  // How a service is named after its element: one "{element}", text around it.
  std::string service_template = "{element}";
};
// False where it has not exactly one "{element}".
[[nodiscard]] bool is_service_template(std::string_view text);

// More of a list than this is left out and told of: whoever wrote it is not to cost us our memory.
constexpr std::size_t kMostOutages = 10'000;
constexpr std::size_t kMostExpressions = 1'000;  // different ones

// The outages of one source, ready to be asked. Immutable.
//
// Whom an outage is for: with `nodes`, those alone; of a node that has entries in `elements`, the
// services that any of them matches (NMIS's core wants all to match, which no two exact entries
// can; its v3 API means any); of a node without entries, the host and all its services. With
// neither it is for everybody, as in NMIS.
class OutageBook {
 public:
  OutageBook() = default;
  // What cannot be evaluated is left out and told in `complaints`, a line each: bad times, bad
  // patterns (the entry alone).
  OutageBook(std::vector<PlannedOutage> outages, const OutageReading& reading,
             std::vector<std::string>* complaints = nullptr);

  struct Hit {
    const PlannedOutage* outage = nullptr;  // the book's
    Window window{};
  };
  // Of all windows that hold `t` and are for this subject the one that ends last.
  [[nodiscard]] std::optional<Hit> find(const Subject& subject, Wall t) const;
  // Of an outage of this book that can be evaluated.
  [[nodiscard]] std::optional<Window> window_at(const PlannedOutage& outage, Wall t) const;
  [[nodiscard]] std::optional<Window> once(const PlannedOutage& outage) const;  // not recurring

  [[nodiscard]] std::size_t in_force(Wall t) const;  // how many windows hold `t`

  [[nodiscard]] const std::vector<PlannedOutage>& all() const { return outages_; }
  [[nodiscard]] OutageEffect effect() const { return reading_.effect; }

 private:
  struct Rule {
    std::size_t outage = 0;  // in outages_
    WindowRule when{};
  };
  // What an outage has for one node.
  struct Share {
    std::size_t rule = 0;
    bool whole = false;
    std::vector<Pattern> elements{};
  };
  struct Building;
  void add(std::size_t index, Building& building);
  void add_nodes(const PlannedOutage& outage, std::size_t rule, Building& building);
  [[nodiscard]] std::optional<std::string_view> element_of(std::string_view service) const;
  [[nodiscard]] bool covers(const Share& share, const Subject& subject) const;
  [[nodiscard]] const WindowRule* rule_of(const PlannedOutage& outage) const;
  void consider(std::size_t rule, Wall t, std::optional<Hit>& best) const;

  std::vector<PlannedOutage> outages_;
  OutageReading reading_;
  std::vector<Rule> rules_;
  std::unordered_map<std::string, std::vector<Share>> by_node_;
  std::vector<std::size_t> for_everybody_;  // in rules_
};

// Takes out what is not recurring and was over before `before`. When the first of the others of
// that kind ends; none where there is none.
std::optional<Wall> drop_over(std::vector<PlannedOutage>& outages, const OutageReading& reading,
                              Wall before);

// The books of all sources. Those of a source are replaced as a whole.
class OutageBooks {
 public:
  struct Hit {
    std::string source{};
    OutageEffect effect = OutageEffect::pass;
    OutageBook::Hit what{};  // points into a book: until that is replaced
  };
  void set(const std::string& source, std::shared_ptr<const OutageBook> book);
  void remove(const std::string& source);
  [[nodiscard]] const OutageBook* book(const std::string& source) const;
  [[nodiscard]] bool empty() const { return books_.empty(); }
  [[nodiscard]] std::uint64_t version() const { return version_; }  // grows with every change
  // Of the windows that hold `t` one with the strongest effect; of those the one that ends last.
  [[nodiscard]] std::optional<Hit> find(const Subject& subject, Wall t) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::shared_ptr<const OutageBook>>>& all()
      const {
    return books_;
  }

 private:
  std::vector<std::pair<std::string, std::shared_ptr<const OutageBook>>> books_;
  std::uint64_t version_ = 0;
};

// What becomes of a result at `now`.
struct OutageRuling {
  OutageEffect effect = OutageEffect::pass;
  std::string source{};  // where effect is not pass
  std::string id{};      // likewise
  std::string note{};    // mark: the text to put into the output
  Wall until{};          // hold: when the subject's present window ends
};
// hold: the result's own time is in a holding window, and so is `now`.
[[nodiscard]] OutageRuling rule_on(const OutageBooks& books, const CheckResult& r, Wall now);
// "[planned outage: swap of sw1 (CHG-7)]"
[[nodiscard]] std::string outage_note(const PlannedOutage& outage);
// Puts the note behind the first line of the output, once.
void mark_output(std::string& output, std::string_view note);

}  // namespace checkrelay
