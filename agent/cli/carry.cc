#include "agent/cli/carry.h"

#include <fmt/format.h>
#include <poll.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>

#include "agent/base/text.h"
#include "agent/cli/cli.h"
#include "agent/cli/sender.h"
#include "agent/cli/views.h"
#include "agent/config/reader.h"
#include "agent/flow/export_page.h"
#include "agent/model/packed.h"

namespace checkrelay {
namespace {

constexpr std::size_t kRefusalsTold = 20;
constexpr Duration kPatience = std::chrono::seconds(30);
constexpr Duration kLanding = std::chrono::minutes(5);  // longer than conversations are let take
constexpr int kLook = 50;                               // ms

void say(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// Empty where none was asked for. The first line of the file.
Result<Secret> read_passphrase(const Arguments& arguments) {
  if (!arguments.has("passphrase-file")) return Secret();
  const std::string file = arguments.text("passphrase-file");
  auto text = read_small_file(file);
  if (!text) return tl::unexpected(text.error());
  std::string line = text->substr(0, text->find_first_of("\r\n"));
  if (line.empty()) return fail(Errc::invalid, file + ": the first line is empty");
  return Secret(std::move(line));
}

// Lines of numbers and ranges, as the agent takes them.
class SeqLines {
 public:
  void add(Seq seq) {
    ++count_;
    if (!text_.empty() && seq == last_ + 1) {
      last_ = seq;
      return;
    }
    close();
    first_ = last_ = seq;
    text_ += "\n";
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::string take() {
    close();
    count_ = 0;
    return std::exchange(text_, {});
  }

 private:
  void close() {
    if (!text_.empty()) text_ += fmt::format("{}-{}", first_, last_);
  }
  std::string text_;
  Seq first_ = 0, last_ = 0;
  std::size_t count_ = 0;
};

class Export {
 public:
  Export(const Office& office, const Bundles& bundles, const Arguments& arguments,
         Secret passphrase)
      : office_(office),
        bundles_(bundles),
        arguments_(arguments),
        passphrase_(std::move(passphrase)),
        file_(arguments.rest[0]) {}

  int run() {
    int status = kExitOk;
    // Told before anything is written.
    if (arguments_.has("release") && !landed(status)) return status;
    if (auto ok = write(status); !ok) return complain(ok.error().what, kExitNo);
    if (status != kExitOk) return status;
    if (count_ == 0) return complain("nothing is pending; no file was written", kExitNo);
    say(fmt::format("{} results are in {}\n", count_, file_));
    return arguments_.has("release") ? release() : kExitOk;
  }

 private:
  // What is under way at a paused destination can still be delivered: it is neither written nor
  // given up before that is known. At one that is not paused there is always something under way.
  bool landed(int& status) {
    const Steady patience = deadline_in(kLanding);
    for (bool told = false;; told = true) {
      auto body = office_.ask(arguments_, "GET", "/v1/status", "", status);
      if (!body) return false;
      auto landing = landing_in(*body, arguments_.text("destination"));
      if (!landing) {
        status = complain(landing.error().what, kExitNo);
        return false;
      }
      if (*landing == 0) return true;
      if (deadline_in({}) >= patience) {
        status = complain(fmt::format("{} results are still under way at a paused destination; no "
                                      "file was written, try again",
                                      *landing),
                          kExitNo);
        return false;
      }
      if (!told) complain(fmt::format("waiting for {} results under way", *landing), 0);
      ::poll(nullptr, 0, kLook);
    }
  }

  // Fails in words, or with `status` where the reason has been printed.
  Result<void> write(int& status) {
    std::unique_ptr<BundleWriter> writer;
    ExportPage page;
    page.more = true;
    while (page.more) {
      auto body = office_.ask(arguments_, "GET", target(page.next), "", status);
      if (!body) return {};
      auto next = decode_export(*body);
      if (!next) return tl::unexpected(next.error());
      page = std::move(*next);
      if (!writer && !page.parcels.empty()) {
        auto made = bundles_.create(file_, passphrase_, wall_now());
        if (!made) return tl::unexpected(made.error());
        writer = std::move(*made);
      }
      for (const Parcel& parcel : page.parcels)
        if (auto ok = writer->add(parcel); !ok) return ok;
      count_ += page.parcels.size();
    }
    return writer ? writer->finish() : Result<void>();
  }

  [[nodiscard]] std::string target(Seq after) const {
    const std::string query = query_of(arguments_, {"destination"});
    return fmt::format("/v1/export{}{}after={}", query, query.empty() ? "?" : "&", after);
  }

  // What the file holds is read back from it, so that nothing is given up that is not in it.
  int release() {
    auto reader = bundles_.open(file_, passphrase_);
    if (!reader) return complain(reader.error().what, kExitNo);
    SeqLines lines;
    for (;;) {
      auto parcel = (*reader)->next();
      if (!parcel) return complain(parcel.error().what, kExitNo);
      if (*parcel) lines.add((*parcel)->seq);
      if (lines.count() < (*parcel ? kMaxSeqs : 1)) {
        if (!*parcel) break;
        continue;
      }
      if (int status = give_up(lines.take()); status != kExitOk) return status;
    }
    say(fmt::format("{} deliveries are given up here; what was under way or done is not\n",
                    released_));
    return kExitOk;
  }

  int give_up(const std::string& lines) {
    int status = kExitOk;
    auto body =
        office_.ask(arguments_, "POST", "/v1/queue/release" + query_of(arguments_, {"destination"}),
                    lines, status);
    auto changed = body ? number_in(*body, "changed") : Result<long long>(0);
    if (!changed) status = complain(changed.error().what, kExitNo);
    if (status != kExitOk)
      return complain(
          fmt::format("{} deliveries were given up before that; the file is complete", released_),
          status);
    released_ += *changed;
    return kExitOk;
  }

  const Office& office_;
  const Bundles& bundles_;
  const Arguments& arguments_;
  Secret passphrase_;
  std::string file_;
  std::size_t count_ = 0;
  long long released_ = 0;
};

// A packed result as a map with the keys that every producer may use.
Result<std::string> as_map(const Parcel& parcel) {
  auto r = unpack(parcel.body);
  if (!r) return tl::unexpected(r.error());
  nlohmann::json map = {
      {"id", r->id},         {"host", r->subject.host}, {"state", r->state},
      {"output", r->output}, {"perfdata", r->perfdata}, {"time", epoch_seconds(r->time)}};
  if (!r->subject.is_host()) map["service"] = r->subject.service;
  if (r->ttl > Duration{}) map["ttl"] = to_seconds(r->ttl);
  if (!r->check_source.empty()) map["check_source"] = r->check_source;
  try {
    std::string out;
    nlohmann::json::to_msgpack(map, out);
    return out;
  } catch (const nlohmann::json::exception& e) {
    return fail(Errc::corrupt, e.what());
  }
}

// Reads the whole bundle, so that a faulty one is refused before anything is handed in.
Result<std::size_t> count_parcels(const Bundles& bundles, const std::string& file,
                                  const Secret& passphrase) {
  auto reader = bundles.open(file, passphrase);
  if (!reader) return tl::unexpected(reader.error());
  for (std::size_t count = 0;; ++count) {
    auto parcel = (*reader)->next();
    if (!parcel) return tl::unexpected(parcel.error());
    if (!*parcel) return count;
    if (auto map = as_map(**parcel); !map)
      return fail(map.error().code,
                  fmt::format("{}: result {}: {}", file, count + 1, map.error().what));
  }
}

class Import {
 public:
  Import(std::string socket, IdMaker& ids)
      : sender_(
            {std::move(socket), {}, false, kPatience}, ids,
            [this](std::size_t number, const std::string& why) { refused(number, why); },
            [](const std::string&) {}) {}

  // Fails where the file cannot be read after all.
  Result<void> run(BundleReader& reader) {
    while (!sender_.away()) {
      auto parcel = reader.next();
      if (!parcel) return tl::unexpected(parcel.error());
      if (!*parcel) break;
      auto map = as_map(**parcel);
      if (!map) return tl::unexpected(map.error());
      sender_.add({++offered_, std::move(*map), {}});
    }
    return {};
  }

  int report(std::size_t total) {
    sender_.settle();
    const std::size_t stored = offered_ - refused_ - sender_.lost();
    if (refused_ > kRefusalsTold)
      complain(fmt::format("and {} more were refused", refused_ - kRefusalsTold), 0);
    say(fmt::format("{} of {} results are on disk at the agent\n", stored, total));
    if (stored == total) return kExitOk;
    if (sender_.away())
      return complain("the agent went away: " + sender_.trouble() +
                          "; import the file again for the rest, nothing is stored twice",
                      kExitAway);
    return kExitNo;
  }

 private:
  void refused(std::size_t number, const std::string& why) {
    if (++refused_ <= kRefusalsTold) complain(fmt::format("result {}: {}", number, why), 0);
  }

  Sender sender_;
  std::size_t offered_ = 0, refused_ = 0;
};

std::uint64_t chance() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace

int export_command(const Office& office, const Bundles& bundles, const Arguments& arguments) {
  if (arguments.rest.size() != 1) return usage_error("queue export", "one FILE is wanted");
  auto passphrase = read_passphrase(arguments);
  if (!passphrase) return complain(passphrase.error().what, kExitNo);
  return Export(office, bundles, arguments, std::move(*passphrase)).run();
}

int import_command(const Bundles& bundles, const Arguments& arguments) {
  if (arguments.rest.size() != 1) return usage_error("queue import", "one FILE is wanted");
  const std::string& file = arguments.rest[0];
  auto passphrase = read_passphrase(arguments);
  if (!passphrase) return complain(passphrase.error().what, kExitNo);
  auto total = count_parcels(bundles, file, *passphrase);
  if (!total) return complain(total.error().what + "; nothing was imported", kExitNo);
  auto reader = bundles.open(file, *passphrase);
  if (!reader) return complain(reader.error().what + "; nothing was imported", kExitNo);
  IdMaker ids(chance());
  Import work(look_around(arguments).socket, ids);
  auto ok = work.run(**reader);
  int status = work.report(*total);
  return ok ? status : complain(ok.error().what, kExitNo);
}

}  // namespace checkrelay
