#include "spool/directory_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "agent/base/json.h"
#include "agent/base/text.h"

namespace checkrelay {
namespace {

tl::unexpected<Error> trouble(const std::string& where) {
  bool no_room = errno == ENOSPC || errno == EDQUOT;
  return fail(no_room ? Errc::full : Errc::unavailable,
              fmt::format("{}: {}", where, std::strerror(errno)));
}

// Unique on this machine; hosts that share a directory differ by time, and by EEXIST in the end.
std::string next_name() {
  static std::atomic<unsigned> count{0};
  auto now =
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  return fmt::format("{:016}-{}-{}.json", now.count(), getpid(), count++);
}

void text_field(JsonWriter& json, std::string_view key, const std::string& value) {
  if (value.empty()) return;
  std::string mended = value;
  make_valid_utf8(mended);
  json.key(key).text(mended);
}

// Exact to the microsecond, which a JSON number need not be.
std::string epoch_text(Wall time) {
  auto us = time.time_since_epoch().count();
  return fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000);
}

Result<void> write_synced(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return trouble(path);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (fchmod(fd, 0640) != 0 || fsync(fd) != 0) return trouble(path);
  return {};
}

Result<void> write_hidden(int dir, const std::string& name, std::string_view text,
                          const std::string& path) {
  int fd = openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (fd < 0) return trouble(path);
  Result<void> written = write_synced(fd, text, path);
  if (close(fd) != 0 && written) written = trouble(path);
  if (!written) unlinkat(dir, name.c_str(), 0);
  return written;
}

Result<void> show(int dir, const std::string& hidden, const std::string& name,
                  const std::string& path) {
  if (renameat2(dir, hidden.c_str(), dir, name.c_str(), RENAME_NOREPLACE) != 0 &&
      !(errno == EINVAL && renameat(dir, hidden.c_str(), dir, name.c_str()) == 0)) {
    Result<void> failed = trouble(path);
    unlinkat(dir, hidden.c_str(), 0);
    return failed;
  }
  if (fsync(dir) != 0) {
    Result<void> failed = trouble(path);
    unlinkat(dir, name.c_str(), 0);
    return failed;
  }
  return {};
}

}  // namespace

void append_result_json(std::string& out, const CheckResult& r) {
  JsonWriter json(out);
  json.begin_object();
  text_field(json, "host", r.subject.host);
  text_field(json, "service", r.subject.service);
  json.key("state").integer(r.state);
  text_field(json, "output", r.output);
  std::string perfdata = r.perfdata;  // always there: what is in output stays in output
  make_valid_utf8(perfdata);
  json.key("perfdata").text(perfdata);
  if (r.time != Wall{}) json.key("time").text(epoch_text(r.time));
  text_field(json, "id", r.id);
  if (r.ttl > Duration(0)) json.key("ttl").number(to_seconds(r.ttl));
  text_field(json, "check_source", r.check_source);
  json.end_object();
}

Result<std::string> write_spool_file(const std::string& directory,
                                     std::span<const CheckResult> results) {
  std::string text;
  for (const CheckResult& r : results) {
    append_result_json(text, r);
    text += '\n';
  }
  int dir = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return trouble(directory);
  std::string name = next_name();
  std::string path = directory + "/" + name;
  Result<void> done = write_hidden(dir, ".tmp-" + name, text, path);
  if (done) done = show(dir, ".tmp-" + name, name, path);
  close(dir);
  if (!done) return tl::unexpected<Error>(done.error());
  return path;
}

}  // namespace checkrelay
