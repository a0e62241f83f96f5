// The outages document: any bytes are a list or a fault; what a list has can be asked about any
// time and subject, kept over a restart, shown to a neighbour, and written back.
#include "agent/model/packed_outages.h"
#include "agent/policy/outage.h"
#include "plugins/dialects/opmantek/wire.h"
#include "tests/fuzz/fuzz.h"

using namespace checkrelay;
using fuzz::require;

namespace {

constexpr Wall kSomeTime{std::chrono::seconds(1'772'402'400)};

void ask(const std::vector<PlannedOutage>& outages, const std::string& subject) {
  OutageReading reading;
  std::vector<PlannedOutage> left = outages;
  drop_over(left, reading, kSomeTime);
  require(left.size() <= outages.size());
  std::vector<std::string> complaints;
  const OutageBook book(outages, reading, &complaints);
  require(book.in_force(kSomeTime) <= outages.size());
  std::string host = subject;
  if (!outages.empty() && !outages[0].nodes.empty()) host = outages[0].nodes[0];
  const auto hit = book.find({host, subject}, kSomeTime);
  require(!hit || hit->window.holds(kSomeTime));
  if (!hit) return;
  std::string output = subject;
  mark_output(output, outage_note(*hit->outage));
  require(output.size() >= subject.size());
}

void write(const PlannedOutage& o) {
  for (const bool v2 : {false, true}) {
    const std::string text = opmantek::to_json(o, false, v2);
    const auto again = opmantek::parse_list("[" + text + "]");
    require(again.has_value());
    require(again->complaints.size() + again->outages.size() == 1);
    require(opmantek::compact(text).has_value());
    opmantek::Wish wish;
    wish.description = "fuzz";
    (void)opmantek::update_body(text, wish);
  }
}

void patterns(std::string_view text, std::string_view subject) {
  for (const char* kind : {"", "regex:", "iregex:"})
    if (auto pattern = Pattern::compile(kind + std::string(text))) (void)pattern->matches(subject);
}

// Its windows must be where they say that they are.
void windows(std::string_view start, std::string_view end) {
  for (const Frequency f :
       {Frequency::once, Frequency::daily, Frequency::weekly, Frequency::monthly}) {
    const auto rule = WindowRule::parse(f, start, end, Zone());
    if (!rule) continue;
    if (const auto now = rule->at(kSomeTime)) require(now->holds(kSomeTime));
    if (const auto next = rule->next(kSomeTime)) require(next->start > kSomeTime);
  }
}

}  // namespace

// A subject, a pattern, two times, each ended by NUL, and the document.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input = fuzz::text_of(data, size);
  const std::string subject(fuzz::take_text(input));
  patterns(fuzz::take_text(input), subject);
  const std::string_view start = fuzz::take_text(input);
  windows(start, fuzz::take_text(input));
  (void)unpack_outages(input);
  const auto list = opmantek::parse_list(std::string(input));
  if (!list) return 0;
  ask(list->outages, subject);
  for (const PlannedOutage& o : list->outages) write(o);
  const std::vector<KeptOutages> kept{{"s", "t", kSomeTime, list->outages}};
  const auto again = unpack_outages(pack_outages(kept));
  require(again && *again == kept);
  return 0;
}
