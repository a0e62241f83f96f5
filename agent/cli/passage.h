// One stream of a command on its way through: what comes is written on at once, byte by byte, and
// its end is remembered. Never blocks for long, and holds at most one piece. One thread.
#pragma once

#include <poll.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "agent/cli/tail.h"

namespace checkrelay {

class Passage {
 public:
  // `from` is a pipe's end, not blocking, owned from now on. `to` is a stream of ours; nothing
  // about it is changed, since others share it. `tail` must outlive this.
  Passage(int from, int to, Tail& tail);
  ~Passage();
  Passage(const Passage&) = delete;
  Passage& operator=(const Passage&) = delete;

  [[nodiscard]] pollfd wish() const;  // fd is -1 where it waits for nothing
  void go(short events);
  // What lies in the pipe now is the last of it: a background child may never close its end.
  void command_ended();
  [[nodiscard]] bool done() const { return size_ == 0 && (from_ < 0 || left_ == 0); }
  // Somebody else still has the other end.
  [[nodiscard]] bool held() const;
  [[nodiscard]] int trouble() const { return trouble_; }  // errno of what could not be written

 private:
  friend void stay_behind(std::span<Passage* const> passages);
  void read_piece();
  void write_pieces();
  [[nodiscard]] bool may_write() const;
  [[nodiscard]] long write_some() const;
  void give_up(int error);
  void close_from();

  int from_;
  int to_;
  Tail& tail_;
  bool is_file_ = false;  // takes everything at once, and nobody waits for its end
  bool is_socket_ = false;
  std::array<char, 64 * 1024> piece_{};
  std::size_t begin_ = 0;
  std::size_t size_ = 0;               // not written yet
  std::optional<std::size_t> left_{};  // bytes to come once the command has ended
  int trouble_ = 0;
};

// For the background children of a command that ended: a process stays that empties their pipes
// until they end, or they would die of their next word. It writes it to a file where that is what
// the stream is; a pipe or socket is let go, for somebody may wait for its end.
void stay_behind(std::span<Passage* const> passages);

}  // namespace checkrelay
