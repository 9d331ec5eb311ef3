#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cells/credential_service/credential_request.hpp"
#include "cells/services.hpp"
#include "planes/api/records.hpp"

namespace fondaco::credential_service {

/// A credential request as its row shows it.
struct request_row {
  std::string holder_pid;
  std::string issuer_did;
  std::string issuer_pid;
  /// `CREATED` and so on.
  std::string status;
  std::vector<requested_credential> wanted;
  std::string error_detail;
};

/// The request with this holder process id, or nothing; 503 if the store does not answer.
planes::api::task<planes::api::result<std::optional<request_row>>> read_request(cells::cell_services& s, tenant owner,
                                                                                std::string holder_pid);

/// Tells a request something; the answer of the entity, or what an admin API says of the refusal.
planes::api::task<std::expected<credential_request::reply, actors::ask_error>>
tell_request(cells::cell_services& s, tenant owner, std::string holder_pid, credential_request::command command);

} // namespace fondaco::credential_service
