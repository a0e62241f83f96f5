#include "spool/salvage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "agent/base/log.h"
#include "spool/damaged_file.h"
#include "spool/salvage_rows.h"

namespace checkrelay {
namespace {

constexpr LaneMask kAnyLane = ~LaneMask{0};
constexpr std::size_t kCommitBytes = 4U << 20;
constexpr std::uint32_t kPagesATold = 65536;  // 256 MiB
constexpr Seq kNever = ~Seq{0} >> 1;
constexpr std::size_t kLeastFrame = 20;  // bytes
constexpr std::size_t kMaxIdBytes = 64;
constexpr Seq kPlausible = Seq{1} << 32;  // ahead of what is proved by a checksum
constexpr std::size_t kRangesTold = 8;

using View = DamagedFile::View;

// What waits for one destination, as its own row and the log say.
struct LaneCount {
  LaneRow row{};
  Lane lane{};
  Seq folded = 0;  // as the row said
  std::uint64_t pending = 0, late = 0, superseded = 0, dead = 0;
  // Of each subject that waits where it was counted; what is aside is superseded by nothing.
  std::unordered_map<std::uint64_t, std::uint64_t*> subjects{};

  [[nodiscard]] bool indexed(Seq seq) const { return seq <= row.saved.latest_upto; }
  void waits(const RecordHeader& h, bool aside) {
    std::uint64_t* const count = h.seq > folded ? &late : &pending;
    if (indexed(h.seq) && !subjects.try_emplace(h.subject, aside ? nullptr : count).second) {
      if (h.seq > folded) ++superseded;
      return;
    }
    ++*count;
  }
  void meet(const RecordHeader& h) {
    if ((h.lanes >> row.lane & 1) == 0 || h.seq <= row.saved.cursor) return;
    if (lane.place(h) == Lane::Place::pending) return waits(h, false);
    const auto it = subjects.find(h.subject);  // what came before it came to an end before it
    if (!indexed(h.seq) || it == subjects.end() || it->second == nullptr) return;
    --*it->second;
    subjects.erase(it);
  }
};

class Salvage {
 public:
  Salvage(const std::string& from, SqliteStore& into) : file_(from), into_(into) {}

  Result<std::string> run() {
    into_.begin(Sync::later);
    find_rows();
    complete_lanes();
    if (auto ok = step(); !ok) return tl::unexpected(ok.error());
    count();
    if (into_.failed()) return fail(Errc::unavailable, into_.reading_error());
    if (auto ok = into_.settle_down(); !ok) return tl::unexpected(ok.error());
    return told();
  }

 private:
  // The newest version of each page first; then what the log hides, for it may be another's.
  void find_rows() {
    for (std::uint32_t n = 1; n <= file_.pages(); ++n) visit(n, View::newest);
    const auto in_log = file_.pages_in_log();
    for (const auto n : in_log)
      if (n > file_.pages()) visit(n, View::newest);
    for (const auto n : in_log) visit(n, View::database);
    file_.rows_of_log([this](const StoredRow& row) {
      keep_best(lane_of(row));
      if (auto name = lane_name_of(row)) names_of_log_[name->lane] = std::move(*name);
    });
  }

  void visit(std::uint32_t n, View view) {
    if (n % kPagesATold == 0)
      log(Level::warn, "salvage", {{"page", n}, {"of", file_.pages()}, {"records", records_}});
    if (file_.is_free(n, view)) {
      file_.rows(n, view, [this](const StoredRow& row) { keep_best(lane_of(row)); });
      return;
    }
    file_.rows(n, view, [this, view](const StoredRow& row) { take(row, view); });
    if (bytes_ < kCommitBytes) return;
    (void)step();
  }

  Result<void> step() {
    bytes_ = 0;
    if (failure_) return tl::unexpected(*failure_);
    if (auto ok = into_.commit(); !ok) failure_ = ok.error();
    (void)into_.tidy(false);
    if (!failure_) into_.begin(Sync::later);
    if (failure_) return tl::unexpected(*failure_);
    return {};
  }

  void take(const StoredRow& row, View view) {
    if (failure_) return;
    if (auto found = log_of(row)) return take_log(*found, view);
    keep_best(lane_of(row));
    if (auto id = id_of(row)) return take_id(*id);
    if (auto key = hash_key_of(row)) return into_.set_hash_key(*key);
    if (auto name = lane_name_of(row)) {
      (view == View::newest ? names_ : names_of_database_).try_emplace(name->lane, *name);
      return;
    }
    if (auto notes = notes_of(row)) bytes_ += into_.keep_notes(*notes);
    if (view == View::database) return;  // what was changed since is as it was no more
    if (auto aside = aside_of(row)) return take_aside(*aside);
    if (auto done = done_of(row)) {
      done_[done->lane].push_back(std::move(done->chunk));
      return;
    }
    if (auto trail = trail_of(row)) {
      bytes_ += trail->data.size();
      into_.save_trail(*trail);
    }
  }

  // Runs of records that are whole become rows of their own.
  void take_log(const FoundLog& found, View view) {
    const Batch batch(found.row.first, found.row.first + found.data.size() / kLeastFrame,
                      std::string(found.data));
    const auto& records = batch.records();
    std::size_t run = 0;
    for (std::size_t i = 0; i < records.size(); ++i) {
      const bool there = view == View::database && covered(records[i].header.seq);
      const bool goes_on = i > 0 && records[i].header.seq == records[i - 1].header.seq + 1;
      if (!there && (i == run || goes_on)) continue;
      put_run(found, batch, run, i);
      run = there ? i + 1 : i;
    }
    put_run(found, batch, run, records.size());
  }

  [[nodiscard]] bool covered(Seq seq) {
    const auto row = into_.log_row_of(seq);
    return row && row->last >= seq;
  }

  void put_run(const FoundLog& found, const Batch& batch, std::size_t from, std::size_t to) {
    if (from >= to) return;
    const Framed& first = batch.records()[from];
    const Framed& last = batch.records()[to - 1];
    const auto before = into_.log_row_of(last.header.seq);
    if (before && before->last >= first.header.seq) return;
    LogRow row = found.row;
    row.lanes = 0;
    row.first = first.header.seq;
    row.last = last.header.seq;
    for (std::size_t i = from; i < to; ++i) note_record(batch.records()[i], row);
    row.start += static_cast<std::uint64_t>(first.frame.data() - batch.begin());
    const char* end = last.frame.data() + last.frame.size();
    const std::string_view data(first.frame.data(),
                                static_cast<std::size_t>(end - first.frame.data()));
    into_.append(row, data);
    bytes_ += data.size();
    records_ += to - from;
    proved_ = std::max(proved_, row.last);
    newest_at_ = std::max(newest_at_, row.at);
    lanes_seen_ |= row.lanes;  // by the records' own checksums
  }

  void note_record(const Framed& record, LogRow& row) {
    row.lanes |= record.header.lanes;
    if (record.id_given)
      (void)into_.remember(std::string(record.id), record.header.seq, record.header.received,
                           kSameIdWindow);
  }

  void take_aside(const AsideRow& row) {
    const Batch batch(row.seq, row.seq, row.frame);
    if (batch.records().empty()) return;
    const LaneMask bit = LaneMask{1} << row.lane;
    if ((batch.records().front().header.lanes & bit) == 0) return;
    into_.save_aside(row);
    bytes_ += row.frame.size();
    proved_ = std::max(proved_, row.seq);
    lanes_seen_ |= bit;
  }

  void take_id(const FoundId& id) {
    if (id.id.empty() || id.id.size() > kMaxIdBytes) return;
    (void)into_.remember(std::string(id.id), id.seq, id.at, kSameIdWindow);
    bytes_ += id.id.size() + 16;
  }

  // Of each name the row that knows most, which is the newest one.
  void keep_best(std::optional<LaneRow> row) {
    if (!row || row->name.empty()) return;
    auto [it, fresh] = rows_[row->lane].try_emplace(row->name, *row);
    if (!fresh && age(it->second) < age(*row)) it->second = std::move(*row);
  }
  static std::tuple<Seq, std::uint64_t, Seq> age(const LaneRow& row) {
    const LaneSaved& s = row.saved;
    return {s.folded, s.delivered + s.superseded + s.expired + s.retries, s.cursor};
  }

  void complete_lanes() {
    names_.merge(names_of_log_);
    names_.merge(names_of_database_);
    for (LaneId i = 0; i < kMaxLanes; ++i)
      if (auto row = row_of(i)) lanes_[i].row = std::move(*row);
    newest_ = std::max(proved_, into_.highest_id(proved_ + kPlausible));
    for (auto& [id, lane] : lanes_) {
      lane.row.saved.done = done_[id];
      settle_asides(id, lane.row.saved);
      LaneSaved plain = lane.row.saved;
      plain.latest_upto = 0;
      lane.lane = Lane(plain, {});
      lane.folded = plain.folded;
      newest_ = std::max(newest_, plain.folded);
    }
  }

  // The name is right that `meta` knows. Two that do not agree on a pause are paused.
  std::optional<LaneRow> row_of(LaneId lane) {
    const auto& rows = rows_[lane];
    const auto told = names_.find(lane);
    if (told == names_.end()) {
      const auto best = std::max_element(
          rows.begin(), rows.end(),
          [](const auto& a, const auto& b) { return age(a.second) < age(b.second); });
      return best != rows.end() ? std::optional(best->second) : orphan(lane);
    }
    const auto it = rows.find(told->second.name);
    LaneRow row = it != rows.end() ? it->second : begun_again(lane, told->second.name);
    if (!row.paused) row.paused = told->second.paused;
    return row;
  }

  // Those without a row have nothing behind them and everything before them.
  LaneRow begun_again(LaneId lane, const std::string& name) {
    LaneRow row;
    row.lane = lane;
    row.name = name;
    if (!is_orphan(name)) forgotten_.push_back(name);
    return row;
  }

  // For whom its results are is not known, so nobody gets them.
  std::optional<LaneRow> orphan(LaneId lane) {
    if ((lanes_seen_ >> lane & 1) == 0) return std::nullopt;
    LaneRow row = begun_again(lane, fmt::format("?{}", lane));
    row.paused = std::max(newest_at_, Wall(Duration(1)));
    orphans_.push_back(row.name);
    return row;
  }

  // What is aside is not to be taken from the log as well; the row may be older than that.
  void settle_asides(LaneId lane, LaneSaved& saved) {
    auto runs = std::move(saved.passed);
    for (const bool dead : {false, true})
      each_aside({dead, lane, 0, 512}, [&](const AsideRow& row) {
        if (row.seq > saved.cursor) runs.push_back({row.seq, row.seq});
      });
    std::sort(runs.begin(), runs.end(), [](Run a, Run b) { return a.first < b.first; });
    saved.passed.clear();
    for (const Run run : runs) {
      const bool joins = !saved.passed.empty() && run.first <= saved.passed.back().last + 1;
      if (!joins) saved.passed.push_back(run);
      saved.passed.back().last = std::max(saved.passed.back().last, run.last);
    }
  }

  template <typename F>
  void each_aside(AsideQuery query, F f) {
    for (;;) {
      const auto rows = into_.asides(query);
      // The last seq may go on behind the page's end.
      const bool more = rows.size() == query.limit;
      for (const AsideRow& row : rows)
        if (!more || row.seq != rows.back().seq) f(row);
      if (!more) return;
      query.after = rows.back().seq - 1;
    }
  }

  void count() {
    count_asides(false);
    count_asides(true);
    Seq at = kNever;
    for (const auto& [id, lane] : lanes_) at = std::min(at, lane.row.saved.cursor);
    cursor_ = lanes_.empty() ? 0 : at;
    count_log();
    for (auto& [id, lane] : lanes_) balance(lane);
  }

  void count_asides(bool dead) {
    each_aside({dead, std::nullopt, 0, 512}, [&](const AsideRow& row) {
      LaneCount& lane = lanes_.at(row.lane);
      const Batch batch(row.seq, row.seq, row.frame);
      if (dead) {
        ++lane.dead;
      } else {
        lane.waits(batch.records().front().header, true);
      }
    });
  }

  void count_log() {
    Seq at = cursor_;
    std::optional<std::uint64_t> next_start;  // where the next row begins, if none is missing
    while (const auto batch = into_.log_after(at, kAnyLane)) {
      const auto row = into_.log_row_of(batch->first());
      const auto start = row ? row->start : 0;
      if (next_start && *next_start != start) missing(at + 1, batch->first() - 1);
      if (!next_start && batch->first() > cursor_ + 1) head_ = batch->first() - 1;
      next_start = start + batch->bytes();
      at = std::max(at, batch->last());
      for (const Framed& r : batch->records())
        for (auto& [id, lane] : lanes_) lane.meet(r.header);
    }
    if (at < newest_) missing(at + 1, newest_);
  }

  void missing(Seq first, Seq last) {
    if (ranges_.size() <= kRangesTold) ranges_.push_back(range(first, last));
  }
  static std::string range(Seq first, Seq last) {
    return first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }

  // What the accounts know of and nobody can find has come to an end.
  void balance(LaneCount& lane) {
    LaneSaved& s = lane.row.saved;
    const auto lost = (s.pending > lane.pending ? s.pending - lane.pending : 0) +
                      (s.dead > lane.dead ? s.dead - lane.dead : 0);
    if (lane.pending > s.pending)
      take_back(lane.pending - s.pending, {&s.superseded, &s.delivered, &s.expired});
    s.expired += lost;
    s.superseded += lane.superseded;
    s.pending = lane.pending + lane.late;
    s.dead = lane.dead;
    s.folded = newest_;
    into_.save_lane(lane.row);
    if (lost == 0) return;
    lost_.push_back(fmt::format("{} of destination {}", lost, lane.row.name));
    if (head_ > 0) ranges_.insert(ranges_.begin(), range(cursor_ + 1, std::exchange(head_, 0)));
  }

  [[nodiscard]] std::string told() const {
    auto text = fmt::format("{} records could be read and go on", records_);
    if (lanes_.empty()) text += "; no destination is known, so what is lost cannot be counted";
    if (!lost_.empty())
      text += fmt::format("; lost and counted as expired: {}", fmt::join(lost_, ", "));
    if (!ranges_.empty()) {
      const std::size_t told = std::min(ranges_.size(), kRangesTold);
      text +=
          fmt::format("; missing are the numbers {}{}",
                      fmt::join(ranges_.begin(), ranges_.begin() + static_cast<long>(told), ", "),
                      told < ranges_.size() ? " and more" : "");
    }
    if (!forgotten_.empty())
      text += fmt::format(
          "; what destination {} had finished is not known: what is there of it waits again",
          fmt::join(forgotten_, ", "));
    if (!orphans_.empty())
      text += fmt::format(
          "; for which destinations {} were is lost: what they had waits under that name, and is "
          "not delivered to anybody by itself",
          fmt::join(orphans_, ", "));
    return text;
  }

  DamagedFile file_;
  SqliteStore& into_;
  std::optional<Error> failure_{};
  std::size_t bytes_ = 0;  // since the last commit
  std::uint64_t records_ = 0;
  Seq proved_ = 0, newest_ = 0, cursor_ = 0;
  Seq head_ = 0;  // nothing from the cursor up to here was found
  LaneMask lanes_seen_ = 0;
  Wall newest_at_{};
  std::map<LaneId, std::map<std::string, LaneRow>> rows_;
  std::map<LaneId, LaneName> names_, names_of_log_, names_of_database_;
  std::map<LaneId, LaneCount> lanes_;
  std::map<LaneId, std::vector<DoneChunk>> done_;
  std::vector<std::string> lost_, ranges_, forgotten_, orphans_;
};

}  // namespace

Result<std::string> salvage(const std::string& damaged, SqliteStore& into) {
  return Salvage(damaged, into).run();
}

}  // namespace checkrelay
