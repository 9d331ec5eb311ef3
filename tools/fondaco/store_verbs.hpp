#pragma once

namespace CLI {
class App;
} // namespace CLI

namespace fondaco::tools {

/// Adds the verbs that look at a store or at what came out of one: `journal verify`, `replay`, `backup`, `restore`,
/// `verify`. A verb that was run leaves its exit code in `code`.
void add_store_verbs(CLI::App& app, int& code);

} // namespace fondaco::tools
