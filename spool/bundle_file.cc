#include "spool/bundle_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "spool/bytes.h"

namespace checkrelay {
namespace {

constexpr std::size_t kChunk = 256 * 1024;  // bytes of records

tl::unexpected<Error> cannot(const char* what, const std::string& file) {
  const Errc code = errno == EEXIST   ? Errc::refused
                    : errno == ENOSPC ? Errc::full
                                      : Errc::unavailable;
  return fail(code, fmt::format("{}: cannot {}: {}", file, what, std::strerror(errno)));
}

tl::unexpected<Error> about(const std::string& file, const Error& error) {
  return fail(error.code, file + ": " + error.what);
}

std::string directory_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == file.npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

class Writer final : public BundleWriter {
 public:
  Writer(std::string file, std::string hidden, File out, BundleCodec codec)
      : file_(std::move(file)),
        hidden_(std::move(hidden)),
        out_(std::move(out)),
        codec_(std::move(codec)) {}
  ~Writer() override {
    if (!finished_) ::unlink(hidden_.c_str());
  }

  Result<void> begin() { return write(codec_.head()); }

  Result<void> add(const Parcel& parcel) override {
    put_varint(chunk_.text, parcel.seq);
    put_varint(chunk_.text, parcel.body.size());
    chunk_.text += parcel.body;
    ++count_;
    return chunk_.text.size() < kChunk ? Result<void>() : flush();
  }

  Result<void> finish() override {
    if (auto ok = flush(); !ok) return ok;
    Chunk end{ChunkKind::end, {}};
    put_varint(end.text, count_);
    if (auto ok = write(codec_.encode(end)); !ok) return ok;
    if (::fsync(out_.fd()) != 0) return cannot("sync", hidden_);
    return publish();
  }

 private:
  Result<void> flush() {
    if (chunk_.text.empty()) return {};
    auto ok = write(codec_.encode(chunk_));
    chunk_.text.clear();
    return ok;
  }

  Result<void> write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(out_.fd(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return cannot("write", hidden_);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  // Some file systems of sticks cannot rename without replacing; there the look before it must do.
  Result<void> publish() {
    int code = ::renameat2(AT_FDCWD, hidden_.c_str(), AT_FDCWD, file_.c_str(), RENAME_NOREPLACE);
    if (code != 0 && (errno == EINVAL || errno == ENOSYS)) {
      struct stat there {};
      if (::lstat(file_.c_str(), &there) == 0)
        errno = EEXIST;
      else
        code = ::rename(hidden_.c_str(), file_.c_str());
    }
    if (code != 0) return cannot("rename it to its place", file_);
    finished_ = true;
    const File directory(::open(directory_of(file_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.fd() < 0 || ::fsync(directory.fd()) != 0)
      return cannot("sync the directory", file_);
    return {};
  }

  std::string file_, hidden_;
  File out_;
  BundleCodec codec_;
  Chunk chunk_{};
  std::uint64_t count_ = 0;
  bool finished_ = false;
};

class FileReader final : public BundleReader {
 public:
  FileReader(std::string file, File in, BundleCodec codec)
      : file_(std::move(file)), in_(std::move(in)), codec_(std::move(codec)) {}

  [[nodiscard]] Wall created() const override { return codec_.created(); }

  Result<std::optional<Parcel>> next() override {
    while (!ended_ && at_ == chunk_.text.size())
      if (auto ok = next_chunk(); !ok) return about(file_, ok.error());
    if (ended_) return std::nullopt;
    ByteReader in(std::string_view(chunk_.text).substr(at_));
    Parcel parcel;
    parcel.seq = in.varint();
    parcel.body = in.bytes(in.varint());
    if (!in.ok()) return about(file_, damaged());
    at_ = chunk_.text.size() - in.left().size();
    ++count_;
    return parcel;
  }

  // At most `size` bytes; fewer at the end of the file.
  static Result<std::string> read(int fd, std::size_t size) {
    std::string out(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const ssize_t n = ::read(fd, out.data() + got, size - got);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(Errc::unavailable, fmt::format("read: {}", std::strerror(errno)));
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    out.resize(got);
    return out;
  }

 private:
  static Error damaged() { return {Errc::corrupt, "the bundle is damaged"}; }
  static Error cut() {
    return {Errc::corrupt, "the bundle is not complete: it ends before its end"};
  }

  Result<void> next_chunk() {
    auto size = read(in_.fd(), 4);
    if (!size) return tl::unexpected(size.error());
    if (size->size() < 4) return tl::unexpected(cut());
    const auto length = ByteReader(*size).fixed(4);
    if (length > kMaxChunk) return tl::unexpected(damaged());
    auto content = read(in_.fd(), static_cast<std::size_t>(length));
    if (!content) return tl::unexpected(content.error());
    if (content->size() < length) return tl::unexpected(cut());
    auto chunk = codec_.decode(*content);
    if (!chunk) return tl::unexpected(chunk.error());
    chunk_ = std::move(*chunk);
    at_ = 0;
    return chunk_.kind == ChunkKind::end ? end() : Result<void>();
  }

  Result<void> end() {
    ByteReader in(chunk_.text);
    if (in.varint() != count_ || !in.ok() || !in.left().empty()) return tl::unexpected(damaged());
    auto more = read(in_.fd(), 1);
    if (!more || !more->empty())
      return fail(Errc::corrupt, "something stands behind the end of the bundle");
    ended_ = true;
    return {};
  }

  std::string file_;
  File in_;
  BundleCodec codec_;
  Chunk chunk_{};
  std::size_t at_ = 0;  // of chunk_, how far it was read
  std::uint64_t count_ = 0;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<BundleWriter>> create_bundle(const std::string& file,
                                                    const Secret& passphrase, Wall now) {
  struct stat there {};
  if (::lstat(file.c_str(), &there) == 0) {
    errno = EEXIST;
    return cannot("write", file);
  }
  auto codec = BundleCodec::begin(passphrase, now);
  if (!codec) return about(file, codec.error());
  const auto slash = file.rfind('/') + 1;  // 0 where there is none
  const std::string hidden =
      fmt::format("{}.{}.{}.tmp", file.substr(0, slash), file.substr(slash), ::getpid());
  File out(::open(hidden.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (out.fd() < 0) return cannot("make", hidden);
  auto writer = std::make_unique<Writer>(file, hidden, std::move(out), std::move(*codec));
  if (auto ok = writer->begin(); !ok) return tl::unexpected(ok.error());
  return writer;
}

Result<std::unique_ptr<BundleReader>> open_bundle(const std::string& file,
                                                  const Secret& passphrase) {
  File in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (in.fd() < 0) return cannot("open", file);
  auto head = FileReader::read(in.fd(), kBundleHead);
  if (!head) return about(file, head.error());
  const auto size = BundleCodec::head_size(*head);
  if (!size) return about(file, size.error());
  auto rest = FileReader::read(in.fd(), *size - head->size());
  if (!rest) return about(file, rest.error());
  auto codec = BundleCodec::read(*head + *rest, passphrase);
  if (!codec) return about(file, codec.error());
  return std::make_unique<FileReader>(file, std::move(in), std::move(*codec));
}

}  // namespace checkrelay
