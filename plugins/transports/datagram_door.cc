#include "plugins/transports/datagram_door.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "agent/base/text.h"
#include "plugins/transports/exchange.h"

namespace checkrelay {
namespace {

constexpr std::size_t kBatch = 16;  // datagrams a system call
constexpr std::size_t kMaxDatagram =
    256 * 1024;                         // bytes; the kernel's own limit is lower as a rule
constexpr int kBatchesATurn = 8;        // then others get their turn
constexpr int kBatchesAtStop = 64;      // what the kernel still holds would be lost with the socket
constexpr std::size_t kPeersKept = 64;  // senders whose conversations are kept while they wait

Peer peer_of(const ucred& who) {
  Peer peer;
  peer.where = "uid=" + std::to_string(who.uid) + " pid=" + std::to_string(who.pid);
  peer.uid = who.uid;
  peer.gid = who.gid;
  peer.local = true;
  return peer;
}

class DatagramDoor final : public Listener {
 public:
  DatagramDoor(DoorState state, OpenedSocket socket)
      : state_(std::move(state)),
        fd_(std::move(socket.fd)),
        path_(std::move(socket.path)),
        max_size_(std::min(state_.max_result, kMaxDatagram)),
        buffers_(new char[kBatch * max_size_]) {
    state_.where = socket.where;
  }
  ~DatagramDoor() override { close_poll(); }

  Result<void> listen();
  [[nodiscard]] std::string where() const override { return state_.where; }
  void drained() override { update(); }
  void stop() override;
  [[nodiscard]] bool idle() const override {
    return std::none_of(senders_.begin(), senders_.end(), [](const auto& s) { return s->owes(); });
  }

 private:
  // One sending process; its conversation sees all its datagrams.
  class Sender final : public Exchange::Pipe {
   public:
    Sender(DatagramDoor& door, Peer peer, pid_t pid, std::unique_ptr<Conversation> conversation)
        : door_(door),
          pid_(pid),
          exchange_(std::make_shared<Exchange>(door.state_.loop, door.state_.receiver,
                                               std::move(peer), std::move(conversation), *this)) {
      exchange_->start();
    }
    ~Sender() override { exchange_->drop(); }
    [[nodiscard]] bool is(const ucred& who) const {
      return pid_ == who.pid && exchange_->peer().uid == who.uid &&
             exchange_->peer().gid == who.gid;
    }
    [[nodiscard]] bool owes() const { return exchange_->owes(); }
    [[nodiscard]] bool ready() const { return exchange_->ready(); }
    [[nodiscard]] bool closed() const { return exchange_->closed(); }
    void receive(std::string_view datagram) {
      exchange_->receive(Message::bytes(std::string(datagram)));
    }

   private:
    void deliver(Message&&, bool) override {}
    void conclude() override {}
    void progressed() override { door_.update(); }

    DatagramDoor& door_;
    pid_t pid_;
    std::shared_ptr<Exchange> exchange_;
  };

  void close_poll();
  void update();
  bool read_batch();
  void take(const msghdr& header, std::string_view datagram, std::size_t size);
  Sender* sender_for(const ucred& who);
  void make_room();
  [[nodiscard]] bool may_read() const;

  DoorState state_;
  OwnedFd fd_;
  OwnedPath path_;
  uv_poll_t* poll_ = nullptr;
  bool reading_ = false;
  std::deque<std::unique_ptr<Sender>> senders_;  // the latest at the front
  std::size_t max_size_;                         // bytes a datagram
  std::unique_ptr<char[]> buffers_;              // not touched before it is needed
};

Result<void> DatagramDoor::listen() {
  const int on = 1;
  if (setsockopt(fd_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
    return fail(Errc::unavailable, state_.where + ": SO_PASSCRED: " + std::strerror(errno));
  poll_ = new uv_poll_t;
  poll_->data = this;
  if (const int error = uv_poll_init(state_.loop.uv(), poll_, fd_.get()); error < 0) {
    delete std::exchange(poll_, nullptr);
    return fail(Errc::unavailable, state_.where + ": " + uv_strerror(error));
  }
  update();
  return {};
}

void DatagramDoor::close_poll() {
  if (!poll_) return;
  uv_poll_stop(poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(poll_, nullptr)),
           [](uv_handle_t* h) { delete reinterpret_cast<uv_poll_t*>(h); });
}

bool DatagramDoor::may_read() const {
  if (state_.receiver.congested()) return false;
  return std::all_of(senders_.begin(), senders_.end(), [](const auto& s) { return s->ready(); });
}

void DatagramDoor::update() {
  const bool wanted = poll_ && may_read();
  if (!poll_ || wanted == reading_) return;
  reading_ = wanted;
  if (!wanted) {
    uv_poll_stop(poll_);
    return;
  }
  uv_poll_start(poll_, UV_READABLE, [](uv_poll_t* p, int, int) {
    auto& self = *static_cast<DatagramDoor*>(p->data);
    for (int i = 0; i < kBatchesATurn && self.may_read() && self.read_batch(); ++i) {
    }
    self.update();
  });
}

// False where the kernel has no more for now.
bool DatagramDoor::read_batch() {
  using Control = std::array<char, CMSG_SPACE(sizeof(ucred))>;
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> pieces{};
  alignas(cmsghdr) std::array<Control, kBatch> controls{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    pieces[i] = {buffers_.get() + i * max_size_, max_size_};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    messages[i].msg_hdr.msg_control = controls[i].data();
    messages[i].msg_hdr.msg_controllen = controls[i].size();
  }
  const int count = recvmmsg(fd_.get(), messages.data(), kBatch,
                             MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC, nullptr);
  for (int i = 0; i < count; ++i) {
    const auto n = static_cast<std::size_t>(i);
    const std::size_t size = messages[n].msg_len;
    take(messages[n].msg_hdr, {buffers_.get() + n * max_size_, std::min(size, max_size_)}, size);
  }
  return count == static_cast<int>(kBatch);
}

void DatagramDoor::take(const msghdr& header, std::string_view datagram, std::size_t size) {
  ucred who{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
      std::memcpy(&who, CMSG_DATA(c), sizeof who);
  Sender* sender = sender_for(who);
  if (sender && size <= max_size_) return sender->receive(datagram);
  if (!sender) return;
  const Refusal refusal{
      0, "datagram of " + std::to_string(size) + " bytes is longer than " + format_size(max_size_)};
  state_.receiver.refused(peer_of(who), {&refusal, 1});
}

DatagramDoor::Sender* DatagramDoor::sender_for(const ucred& who) {
  for (auto& sender : senders_)
    if (sender->is(who) && !sender->closed()) return sender.get();
  make_room();
  Peer peer = peer_of(who);
  InboundContext context;
  context.framing = Framing::datagram;
  context.max_result = state_.max_result;
  std::string why;
  auto conversation = state_.receiver.accept(peer, context, why);
  if (!conversation) {
    log_turned_away(state_, peer, why);
    return nullptr;
  }
  senders_.push_front(
      std::make_unique<Sender>(*this, std::move(peer), who.pid, std::move(conversation)));
  return senders_.front().get();
}

// Forgets senders that nothing is open for, the oldest first. Those that still wait stay, so that
// idle() is true only when all is settled; the journal's congestion bounds how many they can be.
void DatagramDoor::make_room() {
  for (auto it = senders_.end(); it != senders_.begin() && senders_.size() >= kPeersKept;) {
    --it;
    if (!(*it)->owes()) it = senders_.erase(it);
  }
}

void DatagramDoor::stop() {
  if (!poll_) return;
  for (int i = 0; i < kBatchesAtStop && read_batch(); ++i) {
  }
  close_poll();
  fd_ = OwnedFd();
  path_ = OwnedPath();
}

}  // namespace

Result<std::unique_ptr<Listener>> open_datagram_door(DoorState state, OpenedSocket socket) {
  auto door = std::make_unique<DatagramDoor>(std::move(state), std::move(socket));
  if (auto listening = door->listen(); !listening) return tl::unexpected(listening.error());
  return door;
}

}  // namespace checkrelay
