// One file of a spool directory, from its opening to its end. Loop thread only.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/result.h"
#include "agent/port/conversation.h"
#include "agent/port/transport.h"
#include "spool/directory_owners.h"
#include "spool/directory_queue.h"

namespace checkrelay::spool {

// A file that will do: regular, its owner admitted. Never follows a link, never waits for a FIFO's
// writer.
struct OpenFile {
  std::shared_ptr<Directory> directory{};
  std::string name{};
  int fd = -1;
  struct stat stat {};

  OpenFile() = default;
  ~OpenFile();
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&&) = delete;
  [[nodiscard]] bool unchanged() const;  // still what it was at opening, under its name
};

// What kept a file from being opened.
struct Obstacle {
  enum class Kind {
    vanished,    // somebody else took it: nothing to tell
    foreign,     // link, device, FIFO, or a file of somebody who is not admitted: never read, told
                 // once
    unreadable,  // told, and tried again with the next scan
  };
  Kind kind = Kind::vanished;
  std::string what{};
};
[[nodiscard]] tl::expected<OpenFile, Obstacle> open_file(
    const std::shared_ptr<Directory>& directory, const std::string& name, Owners& owners);

// What names the results of a file that have no id of their own: the same file gives the same ids,
// so that a crash between commit and removal repeats nothing. 32 hex digits, a hash of path, inode
// and modification time.
[[nodiscard]] std::string identity_of(const OpenFile& file, const std::string& directory_path);

// What stands against reading such a file at all.
[[nodiscard]] std::optional<Obstacle> objection(const struct stat& st, Owners& owners);

// A file that is being read or whose results are on their way.
struct FileInHand {
  static constexpr std::size_t kMaxReasons = 1000;  // told one by one; more are counted

  explicit FileInHand(OpenFile opened) : file(std::move(opened)) {}
  void name_results(Submission& submission);  // gives ids
  void close();                               // the descriptor; the name and what it stood for stay
  void add_reasons(const std::vector<Refusal>& refusals);

  OpenFile file;
  Peer peer{};
  std::string identity{};
  std::unique_ptr<Conversation> conversation{};
  std::size_t results = 0;         // so far
  std::size_t open = 0;            // submissions without an outcome
  std::vector<Refusal> reasons{};  // why it will go to rejected/
  std::size_t more_reasons = 0;
  bool read = false;    // to its end
  bool held = false;    // the journal could not take some of it: it stays
  bool failed = false;  // it could not be read to its end: it stays
};

}  // namespace checkrelay::spool
