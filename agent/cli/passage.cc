#include "agent/cli/passage.h"

#include <limits.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/cli/left_behind.h"

namespace checkrelay {
namespace {

bool readable(int fd, short& events) {
  pollfd p{fd, POLLIN, 0};
  int n = ::poll(&p, 1, 0);
  events = p.revents;
  return n > 0;
}

// What a file does not take is lost.
void write_to(int fd, std::string_view bytes) {
  while (fd >= 0 && !bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Reads what comes until all have ended; never returns.
[[noreturn]] void drain(std::vector<pollfd> from, const std::vector<int>& to) {
  std::array<char, 16 * 1024> piece{};
  for (std::size_t open = from.size(); open > 0;) {
    if (::poll(from.data(), from.size(), -1) < 0 && errno != EINTR) break;
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (from[i].fd < 0 || from[i].revents == 0) continue;
      ssize_t n = ::read(from[i].fd, piece.data(), piece.size());
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n > 0) {
        write_to(to[i], {piece.data(), static_cast<std::size_t>(n)});
        continue;
      }
      ::close(std::exchange(from[i].fd, -1));
      --open;
    }
  }
  ::_exit(0);
}

}  // namespace

Passage::Passage(int from, int to, Tail& tail) : from_(from), to_(to), tail_(tail) {
  struct stat s {};
  if (::fstat(to, &s) != 0) return;
  is_file_ = S_ISREG(s.st_mode) || S_ISCHR(s.st_mode);
  is_socket_ = S_ISSOCK(s.st_mode);
}

Passage::~Passage() { close_from(); }

void Passage::close_from() {
  if (from_ >= 0) ::close(std::exchange(from_, -1));
}

pollfd Passage::wish() const {
  if (size_ > 0) return {to_, POLLOUT, 0};
  return {left_ == 0 ? -1 : from_, POLLIN, 0};
}

void Passage::go(short events) {
  if (events == 0) return;
  if (size_ == 0) read_piece();
  write_pieces();
}

void Passage::read_piece() {
  if (from_ < 0) return;
  ssize_t n = ::read(from_, piece_.data(), std::min(piece_.size(), left_.value_or(piece_.size())));
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return close_from();
  begin_ = 0;
  size_ = static_cast<std::size_t>(n);
  if (left_) *left_ -= size_;
  tail_.add({piece_.data(), size_});
}

bool Passage::may_write() const {
  if (is_file_) return true;
  pollfd p{to_, POLLOUT, 0};
  return ::poll(&p, 1, 0) > 0;
}

// A pipe that poll() calls writable takes PIPE_BUF bytes without waiting (pipe(7)).
long Passage::write_some() const {
  const char* bytes = piece_.data() + begin_;
  if (is_socket_) return ::send(to_, bytes, size_, MSG_DONTWAIT | MSG_NOSIGNAL);
  return ::write(to_, bytes, is_file_ ? size_ : std::min<std::size_t>(size_, PIPE_BUF));
}

void Passage::write_pieces() {
  while (size_ > 0 && may_write()) {
    long n = write_some();
    if (n >= 0) {
      begin_ += static_cast<std::size_t>(n);
      size_ -= static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      give_up(errno);
    }
  }
}

// Where nobody reads any more the command shall hear of it as it would without us, by SIGPIPE. A
// full disk is no reason to end it.
void Passage::give_up(int error) {
  size_ = 0;
  if (error == EPIPE || error == ECONNRESET) return close_from();
  trouble_ = error;
}

void Passage::command_ended() {
  int there = 0;
  if (from_ < 0 || ::ioctl(from_, FIONREAD, &there) != 0) there = 0;
  left_ = static_cast<std::size_t>(there);
}

bool Passage::held() const {
  short events = 0;
  return from_ >= 0 && !(readable(from_, events) && (events & POLLHUP) != 0);
}

void stay_behind(std::span<Passage* const> passages) {
  std::vector<pollfd> from;
  std::vector<int> to;
  for (Passage* p : passages) {
    if (!p->held()) continue;
    from.push_back({p->from_, POLLIN, 0});
    to.push_back(p->is_file_ ? p->to_ : -1);
  }
  if (from.empty()) return;
  std::vector<int> keep(to);
  for (const pollfd& p : from) keep.push_back(p.fd);
  if (left_behind(std::move(keep))) drain(std::move(from), to);
}

}  // namespace checkrelay
