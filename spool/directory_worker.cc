#include "spool/directory_worker.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "agent/base/text.h"
#include "spool/directory_end.h"

namespace checkrelay::spool {
namespace {

// For conversations that do not tell what admission refused.
std::vector<Refusal> refusals_of(const std::vector<Outcome>& outcomes) {
  std::vector<Refusal> refusals;
  for (const Outcome& o : outcomes)
    if (!o.ok && (o.code == Errc::invalid || o.code == Errc::refused))
      refusals.push_back({0, o.error});
  return refusals;
}

}  // namespace

DirectoryWorker::DirectoryWorker(Setup setup, Loop& loop, Receiver& receiver)
    : setup_(std::move(setup)),
      loop_(loop),
      receiver_(receiver),
      queue_([this](const std::string& name, const struct stat& st) {
        auto no = objection(st, setup_.owners);
        if (no) tell_obstacle(name, *no);
        return !no;
      }),
      rescan_(loop, [this] { rescan(); }),
      resume_(loop, [this] {
        holding_ = false;
        wake();
      }) {}

DirectoryWorker::~DirectoryWorker() = default;

Result<void> DirectoryWorker::start() {
  watch_ = std::make_unique<DirectoryWatch>(
      loop_, DirectoryWatch::Hints{[this](std::string_view name) {
                                     if (!directory_) return;
                                     if (name.ends_with(".ok") &&
                                         is_check_file(name.substr(0, name.size() - 3)))
                                       name.remove_suffix(3);
                                     queue_.examine(*directory_, name);
                                     wake();
                                   },
                                   [this] { begin_scan(); }, [this] { reopen(); }});
  if (auto opened = open_directory(); !opened) return opened;
  rescan_.at(loop_.now().steady + setup_.rescan);
  begin_scan();
  return {};
}

// The watch comes first: what arrives between it and the scan is seen by both, what arrives before
// by the scan.
Result<void> DirectoryWorker::open_directory() {
  directory_.reset();
  bool watched = watch_->watch(setup_.path);
  int fd = open(setup_.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail(Errc::unavailable, quoted(setup_.path) + ": " + std::strerror(errno));
  directory_ = std::make_shared<Directory>(fd);
  if (!watched) tell_trouble(".", "no events can be had; the rescan finds what comes");
  return {};
}

bool DirectoryWorker::still_there() const {
  struct stat path {};
  struct stat held {};
  return directory_ && stat(setup_.path.c_str(), &path) == 0 && fstat(directory_->fd, &held) == 0 &&
         path.st_dev == held.st_dev && path.st_ino == held.st_ino;
}

void DirectoryWorker::reopen() {
  if (stopping_) return;
  scan_.end();
  queue_.clear();
  bool had = directory_ != nullptr;
  if (auto opened = open_directory(); !opened) {
    if (had) log(Level::error, "spool directory is gone", {{"error", opened.error().what}});
    rescan_.at(loop_.now().steady + kMissingRetry);
    return;
  }
  log(Level::info, "spool directory was replaced", {{"path", setup_.path}});
  begin_scan();
}

void DirectoryWorker::rescan() {
  rescan_.at(loop_.now().steady + setup_.rescan);
  retry_stuck();
  if (!still_there()) return reopen();
  begin_scan();
}

void DirectoryWorker::begin_scan() {
  if (stopping_ || !directory_) return;
  if (scan_.active()) {
    scan_again_ = true;  // not anew from the start, or many hints would keep it from ever ending
    return;
  }
  scan_again_ = false;
  done_since_scan_ = 0;
  queue_.begin_scan();
  if (!scan_.begin(directory_)) tell_trouble(".", std::strerror(errno));
  wake();
}

void DirectoryWorker::wake() {
  if (awake_ || stopping_) return;
  awake_ = true;
  loop_.defer([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->step();
  });
}

void DirectoryWorker::step() {
  awake_ = false;
  if (stopping_) return;
  if (scan_.active()) {
    if (scan_.step(kEntriesAStep, queue_)) return wake();  // all names first: the oldest goes first
  }
  read_files();
  reject_some();
  tell_progress();
  if (!rejecting_.empty()) return wake();
  bool more = current_ || queue_.size() > 0;
  bool left_over = queue_.cut() && done_since_scan_ > 0;
  if (!more && (scan_again_ || left_over)) return begin_scan();
  if (more && may_read()) wake();
}

bool DirectoryWorker::may_read() const {
  return !stopping_ && !holding_ && !receiver_.congested() && open_files_ < kMaxOpenFiles &&
         unsettled_ < kMaxUnsettled && rejecting_.size() < kMaxOpenFiles &&
         stuck_.size() < kMaxStuck && (!current_ || current_->open < kMaxOpenChunks);
}

void DirectoryWorker::read_files() {
  std::size_t bytes = 0;
  for (std::size_t files = 0; files < kFilesAStep && bytes < kBytesAStep && may_read();) {
    if (!current_) current_ = next_file();
    if (!current_) return;
    FilePtr file = current_;
    bytes += read_chunk(file);
    if (file->read) ++files;
  }
}

DirectoryWorker::FilePtr DirectoryWorker::next_file() {
  while (auto name = queue_.take()) {
    auto file = open_file(directory_, *name, setup_.owners);
    if (file) {
      if (FilePtr taken = take_in(std::move(*file))) return taken;
    } else {
      tell_obstacle(*name, file.error());
    }
    queue_.release(*name);
  }
  return nullptr;
}

DirectoryWorker::FilePtr DirectoryWorker::take_in(OpenFile opened) {
  auto file = std::make_shared<FileInHand>(std::move(opened));
  file->peer.where = setup_.path + "/" + file->file.name;
  file->peer.uid = file->file.stat.st_uid;
  file->peer.gid = file->file.stat.st_gid;
  file->peer.local = true;
  file->identity = identity_of(file->file, setup_.path);
  InboundContext context;
  context.framing = Framing::file;
  context.max_result = setup_.max_result;
  context.file_name = file->file.name;
  std::string why;
  file->conversation = receiver_.accept(file->peer, context, why);
  if (!file->conversation) {
    tell_obstacle(file->file.name, {Obstacle::Kind::foreign, why});
    return nullptr;
  }
  Actions actions;
  file->conversation->start(loop_.now(), actions);
  perform(file, actions);
  return file;
}

std::size_t DirectoryWorker::read_chunk(const FilePtr& file) {
  ssize_t n = read(file->file.fd, buffer_.data(), buffer_.size());
  if (n < 0 && errno == EINTR) return 0;
  if (n < 0) {
    tell_trouble(file->file.name, std::strerror(errno));
    file->failed = true;
  }
  if (n > 0 && file->conversation) {
    Actions actions;
    file->conversation->receive(Message::bytes(buffer_.substr(0, static_cast<std::size_t>(n))),
                                loop_.now(), actions);
    receiver_.refused(file->peer, actions.refused);
    perform(file, actions);
  }
  // Short means the end; should the file grow after all, it is no longer what it was, and read
  // again.
  if (n < static_cast<ssize_t>(buffer_.size()) || !file->conversation) end_of_file(file);
  return static_cast<std::size_t>(std::max<ssize_t>(n, 0));
}

void DirectoryWorker::end_of_file(const FilePtr& file) {
  if (file->conversation) {
    Actions actions;
    file->conversation->finish(loop_.now(), actions);
    receiver_.refused(file->peer, actions.refused);
    perform(file, actions);
  }
  file->read = true;
  current_.reset();
  ++open_files_;
  if (file->open == 0) conclude(file);
}

void DirectoryWorker::perform(const FilePtr& file, Actions& actions) {
  for (Submission& submission : actions.submit) {
    file->name_results(submission);
    ++file->open;
    ++unsettled_;
    receiver_.submit(file->peer, std::move(submission),
                     [weak = weak_from_this(), file,
                      ticket = submission.ticket](const std::vector<Outcome>& outcomes) {
                       if (auto self = weak.lock()) self->settled(file, ticket, outcomes);
                     });
  }
  file->add_reasons(actions.refused);
  if (actions.close) file->conversation.reset();
}

void DirectoryWorker::settled(const FilePtr& file, Ticket ticket,
                              const std::vector<Outcome>& outcomes) {
  --unsettled_;
  --file->open;
  for (const Outcome& o : outcomes)
    if (!o.ok && (o.code == Errc::full || o.code == Errc::unavailable)) file->held = true;
  if (file->conversation) {
    Actions actions;
    file->conversation->settle(ticket, outcomes, loop_.now(), actions);
    if (actions.refused.empty()) actions.refused = refusals_of(outcomes);
    perform(file, actions);
  }
  if (file->read && file->open == 0) conclude(file);
  wake();
}

void DirectoryWorker::conclude(const FilePtr& file) {
  --open_files_;
  file->close();
  if (file->held) {
    put_back(*file);
    hold();
  } else if (file->failed) {
    queue_.release(file->file.name);  // the next scan tries again
  } else if (!file->file.unchanged()) {
    put_back(*file);
  } else if (file->reasons.empty()) {
    finish(file);
  } else {
    rejecting_.push_back(file);
  }
  wake();
}

void DirectoryWorker::finish(const FilePtr& file) {
  if (!end(*file)) return stuck_.push_back(file);
  queue_.release(file->file.name);
  hold_ = kFirstHold;
}

void DirectoryWorker::reject_some() {
  for (std::size_t n = 0; n < kRejectsAStep && !rejecting_.empty(); ++n) {
    const FilePtr file = std::move(rejecting_.front());
    rejecting_.pop_front();
    if (file->file.unchanged()) {
      finish(file);
    } else {
      put_back(*file);  // mended, or taken away, while it waited
    }
  }
}

bool DirectoryWorker::end(const FileInHand& file) {
  bool good = file.reasons.empty();
  auto ended = good ? remove_file(file.file).map([] { return std::string(); }) : reject_file(file);
  if (!ended) {
    tell_trouble(file.file.name, ended.error().what);
    return false;
  }
  ++done_;
  ++done_since_scan_;
  std::uint64_t held_back = 0;
  if (!good && rejected_gate_.open(loop_.now(), held_back))
    log(Level::warn, "spool file rejected",
        {{"file", file.peer.where},
         {"kept", "rejected/" + *ended},
         {"reasons", file.reasons.size() + file.more_reasons},
         {"not_logged", held_back}});
  return true;
}

void DirectoryWorker::put_back(const FileInHand& file) {
  queue_.release(file.file.name);
  if (directory_ && file.file.directory == directory_) queue_.examine(*directory_, file.file.name);
}

void DirectoryWorker::retry_stuck() {
  std::erase_if(stuck_, [this](const FilePtr& file) {
    if (file->file.unchanged() && !end(*file)) return false;
    queue_.release(file->file.name);
    return true;
  });
}

void DirectoryWorker::hold() {
  if (holding_ || stopping_) return;
  holding_ = true;
  resume_.at(loop_.now().steady + hold_);
  hold_ = std::min(2 * hold_, kLongestHold);
  tell_trouble(".", "the journal takes nothing now; the files stay");
}

void DirectoryWorker::stop() {
  stopping_ = true;
  rescan_.clear();
  resume_.clear();
  watch_.reset();
  scan_.end();
  current_.reset();  // read again after the next start: its results have their names
}

}  // namespace checkrelay::spool
