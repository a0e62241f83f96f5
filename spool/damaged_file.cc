#include "spool/damaged_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace checkrelay {
namespace {

constexpr std::size_t kLogHead = 32, kFrameHead = 24;
constexpr std::uint32_t kMagic = 0x377f0682;  // the lowest bit: checksums go by big-endian words

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return v;
}

struct Sums {
  std::uint32_t a = 0, b = 0;
  bool operator==(const Sums&) const = default;
};

Sums add(Sums s, std::string_view bytes, bool big) {
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    auto x = number_at(bytes, at), y = number_at(bytes, at + 4);
    if (!big) {
      x = __builtin_bswap32(x);
      y = __builtin_bswap32(y);
    }
    s.a += x + s.b;
    s.b += y + s.a;
  }
  return s;
}

std::uint64_t size_of(int fd) {
  struct stat st {};
  return fd >= 0 && fstat(fd, &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

}  // namespace

DamagedFile::DamagedFile(const std::string& path)
    : database_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)),
      log_(open((path + "-wal").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
  const auto whole = size_of(database_) / kPageBytes;
  pages_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(whole, 0xfffffffe));
  read_log();
}

DamagedFile::~DamagedFile() {
  if (database_ >= 0) close(database_);
  if (log_ >= 0) close(log_);
}

std::string DamagedFile::read(int fd, std::uint64_t offset, std::size_t bytes) const {
  std::string data(bytes, '\0');
  const auto n = fd < 0 ? -1 : pread(fd, data.data(), bytes, static_cast<off_t>(offset));
  if (n != static_cast<ssize_t>(bytes)) data.clear();
  return data;
}

// Frames of an earlier use of the log have another salt. Where the head is damaged, SQLite reads
// none of them; the first frame has the salt as well. What behind damage belongs to no commit is
// left out.
void DamagedFile::read_log() {
  const auto size = size_of(log_);
  const auto head = read(log_, 0, kLogHead);
  const auto first = read(log_, kLogHead, kFrameHead);
  if (head.empty() || first.empty()) return;
  const bool big = (number_at(head, 0) & ~1U) == kMagic && (number_at(head, 0) & 1) != 0;
  Sums before{number_at(head, 24), number_at(head, 28)};
  bool whole = add({}, std::string_view(head).substr(0, 24), big) == before &&
               number_at(head, 8) == kPageBytes;
  const std::string salt = whole ? head.substr(16, 8) : first.substr(8, 8);
  std::size_t committed = 0;
  for (std::uint64_t at = kLogHead; at + kFrameHead + kPageBytes <= size;
       at += kFrameHead + kPageBytes) {
    const auto frame = read(log_, at, kFrameHead + kPageBytes);
    const std::string_view bytes(frame);
    const auto sums =
        frame.empty() ? Sums{}
                      : add(add(before, bytes.substr(0, 8), big), bytes.substr(kFrameHead), big);
    before = frame.empty() ? Sums{} : Sums{number_at(frame, 16), number_at(frame, 20)};
    whole = whole && !frame.empty() && sums == before && bytes.substr(8, 8) == salt;
    if (whole) behind_ = frames_.size() + 1;
    if (frame.empty() || sums != before || bytes.substr(8, 8) != salt) continue;
    frames_.push_back({number_at(frame, 0), at + kFrameHead});
    if (number_at(frame, 4) != 0) committed = frames_.size();
  }
  frames_.resize(std::max(committed, std::min(behind_, frames_.size())));
  for (const Frame& f : frames_) newest_[f.page] = f.offset;
}

std::vector<std::uint32_t> DamagedFile::pages_in_log() const {
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, offset] : newest_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::uint64_t DamagedFile::bytes_in_use() const {
  std::uint64_t used = frames_.size();
  for (std::uint32_t n = 1; n <= pages_; ++n)
    if (!is_free(n, View::newest)) ++used;
  return used * kPageBytes;
}

std::string DamagedFile::page(std::uint32_t number, View view) const {
  if (number == 0) return {};
  const auto it = view == View::newest ? newest_.find(number) : newest_.end();
  if (it != newest_.end()) return read(log_, it->second, kPageBytes);
  return read(database_, (number - 1) * std::uint64_t{kPageBytes}, kPageBytes);
}

bool DamagedFile::is_free(std::uint32_t number, View view) const {
  const auto map = pointer_map_of(number);
  if (map != map_number_ || view != map_view_) {
    map_ = page(map, view);
    map_number_ = map;
    map_view_ = view;
  }
  return says_free(map_, number);
}

void DamagedFile::rows(std::uint32_t number, View view,
                       const std::function<void(const StoredRow&)>& row) const {
  const auto fetch = [&](std::uint32_t n) { return page(n, view); };
  read_rows(page(number, view), number, fetch, row);
}

void DamagedFile::rows_from(std::size_t frame,
                            const std::function<void(const StoredRow&)>& row) const {
  const auto fetch = [&](std::uint32_t n) { return page(n, View::newest); };
  for (std::size_t i = frame; i < frames_.size(); ++i)
    read_rows(read(log_, frames_[i].offset, kPageBytes), frames_[i].page, fetch, row);
}

}  // namespace checkrelay
