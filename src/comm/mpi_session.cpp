#include "comm/mpi_session.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <numeric>

#include "base/error.h"
#include "base/provenance.h"
#include "comm/local_ranks.h"
#include "comm/single_copy.h"

namespace mnist_dist {
namespace {

/// Lowest rank of `comm` whose memory this rank shares.
int node_of(MPI_Comm comm) {
  MPI_Comm shared = MPI_COMM_NULL;
  check(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank_in(comm), MPI_INFO_NULL, &shared),
        "MPI_Comm_split_type");
  const MpiComm owner(shared);
  int lowest = rank_in(comm);
  check(MPI_Bcast(&lowest, 1, MPI_INT, 0, owner), "MPI_Bcast");
  return lowest;
}

std::vector<Peer> exchange_peers(MPI_Comm comm) {
  struct Card {
    char host[256];
    int pid, node;
  };
  Card mine{{}, static_cast<int>(getpid()), node_of(comm)};
  host_name().copy(mine.host, sizeof mine.host - 1);
  std::vector<Card> cards(static_cast<std::size_t>(size_of(comm)));
  check(MPI_Allgather(&mine, sizeof mine, MPI_BYTE, cards.data(), sizeof mine, MPI_BYTE, comm),
        "MPI_Allgather");
  std::vector<Peer> peers;
  for (const Card& card : cards) peers.push_back({card.host, card.pid, card.node});
  return peers;
}

// Each rank may open a socket to each other rank, more than the usual 1,024 files in large runs.
void allow_many_files() noexcept {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

MpiLibrary::MpiLibrary() {
  allow_many_files();
  choose_single_copy();
  int provided = MPI_THREAD_SINGLE;
  check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED)
    throw device_error("this MPI does not support programs with threads",
                       "use one built with thread support (MPI_THREAD_FUNNELED)");
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

MpiLibrary::~MpiLibrary() { MPI_Finalize(); }

MpiSession::MpiSession(const Launcher& launcher, double timeout_seconds)
    : launcher_(launcher),
      timeout_(timeout_seconds),
      process_(fmt::format("rank {} (host {}, pid {})", launcher.rank, host_name(), getpid())),
      watchdog_(guard("MPI_Init")),
      alarm_comm_(duplicate(MPI_COMM_WORLD)),
      peers_(exchange_peers(alarm_comm_)),
      alarm_(alarm_comm_, peers_, timeout_seconds) {
  watchdog_.reset();
  const int size = size_of(alarm_comm_);
  constexpr char hint[] =
      "start with the mpirun of the MPI this program is linked to (launch/local.sh finds it), "
      "or with srun --mpi=pmix";
  if (launcher.size > 0 && launcher.size != size)
    throw on_all_ranks(device_error(
        fmt::format("{} started {} ranks but MPI sees {}", launcher.name, launcher.size, size),
        hint));
  // PMIx gives no size, and a rank that is unknown to MPI is a world of its own.
  if (launcher.size == 0 && launcher.rank > 0 && size == 1)
    throw device_error(
        fmt::format("{} started rank {} but MPI sees 1 rank", launcher.name, launcher.rank), hint);
}

MpiSession::~MpiSession() {
  try {
    wait_for_all_ranks();
  } catch (const Error&) {  // a destructor must not throw. MPI_Finalize finds the same fault
  }
  watchdog_.emplace(guard("MPI_Finalize"));
}

void MpiSession::wait_for_all_ranks() {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Ibarrier(alarm_comm_, &request), "MPI_Ibarrier");
  std::vector<int> everybody(peers_.size());
  std::iota(everybody.begin(), everybody.end(), 0);
  alarm_.wait({&request, 1}, {"MPI_Finalize", 0, 0, everybody});
}

Watchdog MpiSession::guard(const std::string& call) const {
  return {timeout_, [this, call] {
            return complain(local_ranks(), launcher_, process_, host_name(), call, timeout_);
          }};
}

}  // namespace mnist_dist
