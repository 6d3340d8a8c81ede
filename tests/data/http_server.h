#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mnist_dist {

/// A web server of a test's own on 127.0.0.1, which can misbehave as mirrors do.
class HttpServer {
 public:
  struct Behaviour {
    std::map<std::string, std::string> files;                           ///< "/name" -> contents; others are 404
    bool ranges = true;                                                 ///< honours "Range: bytes=N-"
    std::size_t break_after = std::numeric_limits<std::size_t>::max();  ///< closes the connection after so many bytes of a body
  };

  explicit HttpServer(Behaviour behaviour) : behaviour_(std::move(behaviour)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no server socket");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string address() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void behave(const Behaviour& behaviour) {
    const std::lock_guard lock(mutex_);
    behaviour_ = behaviour;
  }
  /// What was asked for, as "/name" or "/name from 100".
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (int client; (client = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(client)) {
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = ::recv(client, buffer, sizeof buffer, 0);
        if (got <= 0) break;
        request.append(buffer, static_cast<std::size_t>(got));
      }
      const std::string answer = answer_to(request);
      for (std::size_t sent = 0; sent < answer.size();) {
        const ssize_t now = ::send(client, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (now <= 0) break;
        sent += static_cast<std::size_t>(now);
      }
    }
  }

  std::string answer_to(const std::string& request) {
    const std::lock_guard lock(mutex_);
    const std::string name = request.substr(4, request.find(' ', 4) - 4);
    const auto range = request.find("Range: bytes=");
    const std::size_t first = range == std::string::npos ? 0 : std::stoul(request.substr(range + 13));
    requests_.push_back(range == std::string::npos ? name : name + " from " + std::to_string(first));
    const auto file = behaviour_.files.find(name);
    if (file == behaviour_.files.end()) return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const std::string& contents = file->second;
    const std::string total = std::to_string(contents.size());
    std::string header = "HTTP/1.1 200 OK\r\n", body = contents;
    if (range != std::string::npos && behaviour_.ranges) {
      if (first >= contents.size())
        return "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */" + total + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      header = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(first) + "-" + std::to_string(contents.size() - 1) + "/" +
               total + "\r\n";
      body = contents.substr(first);
    }
    header += "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
    return header + body.substr(0, std::min(body.size(), behaviour_.break_after));
  }

  mutable std::mutex mutex_;
  Behaviour behaviour_;
  std::vector<std::string> requests_;
  int socket_, port_ = 0;
  std::thread thread_;
};

}  // namespace mnist_dist
