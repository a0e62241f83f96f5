// A connected pipe of bytes on the loop, both directions, whatever carries it. Loop thread only.
// The owner must not destroy a stream from within one of its callbacks; destroying it otherwise
// closes at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace checkrelay {

class ByteStream {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_bytes(std::string_view bytes) = 0;  // at most kReadChunk
    virtual void on_end() = 0;                          // the peer sends no more; it may still read
    virtual void on_failure(const std::string& what) = 0;  // nothing more comes or goes
    // What came is not the language of this stream: nothing more comes, but end() still lets the
    // peer read why, and until then what it sends is passed on as it is.
    virtual void on_garbled(const std::string& what) { on_failure(what); }
    virtual void on_progress() = 0;  // something that was written has gone
  };
  static constexpr std::size_t kReadChunk = 64 * 1024;

  virtual ~ByteStream() = default;
  virtual void set_owner(Owner& owner) = 0;        // before anything else; must outlive the stream
  virtual void read(bool wanted) = 0;              // calls again are no-ops
  virtual void write(std::string_view bytes) = 0;  // leaves at the end of the turn, together
  [[nodiscard]] virtual std::size_t unwritten() const = 0;
  virtual void end() = 0;  // after what is written: tells the peer that no more comes
};

}  // namespace checkrelay
