#include "tools/fondaco/backup_file.hpp"

#include <fstream>
#include <utility>

#include "protocols/base/base64.hpp"
#include "protocols/base/digest.hpp"
#include "tools/fondaco/private_file.hpp"

namespace fondaco::tools {

namespace {

using persistence::cell;
using persistence::column_type;
using persistence::copied_table;

fault broken(std::string detail) {
  return {"bad_backup", std::move(detail) + ": the file is no whole backup; take another one", cure::fix_input};
}

std::string_view name_of(column_type t) {
  switch (t) {
  case column_type::integer: return "integer";
  case column_type::text: return "text";
  case column_type::bytes: return "bytes";
  }
  return "text";
}

json::array columns_of(const copied_table& t) {
  json::array out;
  for (const auto& c : t.columns)
    out.push_back(json::array{json::value(c.name), json::value(name_of(c.type))});
  return out;
}

json::array row_json(const copied_table& t, std::span<const cell> row) {
  json::array out;
  for (size_t i = 0; i < row.size(); ++i) {
    if (std::holds_alternative<std::monostate>(row[i]))
      out.emplace_back(nullptr);
    else if (const auto* number = std::get_if<int64_t>(&row[i]))
      out.emplace_back(*number);
    else if (t.columns[i].type == column_type::bytes)
      out.emplace_back(base64_encode(std::get<std::string>(row[i])));
    else
      out.emplace_back(std::get<std::string>(row[i]));
  }
  return out;
}

std::optional<std::vector<cell>> row_of(const copied_table& t, const json::array& values) {
  if (values.size() != t.columns.size())
    return std::nullopt;
  std::vector<cell> out;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto& v = values[i];
    const auto type = t.columns[i].type;
    if (v.is_null()) {
      out.emplace_back(std::monostate{});
    } else if (type == column_type::integer && v.is_int64()) {
      out.emplace_back(v.get_int64());
    } else if (type == column_type::text && v.is_string()) {
      out.emplace_back(std::string(v.get_string()));
    } else if (type == column_type::bytes && v.is_string()) {
      auto bytes = base64_decode(v.get_string());
      if (!bytes)
        return std::nullopt;
      out.emplace_back(std::move(*bytes));
    } else {
      return std::nullopt;
    }
  }
  return out;
}

/// Lines that go into the file and its digest.
class line_writer {
public:
  explicit line_writer(private_file& f) : file_(f) {}
  std::expected<void, fault> put(const json::value& v) {
    const auto line = json::write(v) + "\n";
    digest_.add(line);
    return file_.write(line);
  }
  std::string digest_so_far() { return digest_.finish(); }

private:
  private_file& file_;
  digest digest_;
};

/// Reads a file line by line: a beginning, tables with their rows, an end.
class backup_reader {
public:
  backup_reader(const std::string& file, const backup_row_taker& take) : in_(file, std::ios::binary), take_(take) {}

  std::expected<backup_contents, fault> read_all() {
    std::string line;
    while (!ended_ && std::getline(in_, line)) {
      ++line_;
      // A row can be as long as an event with the snapshot of its entity.
      auto parsed = json::parse(line, {.depth_max = 64, .text_bytes_max = 64u << 20});
      if (!parsed)
        return std::unexpected(at_line("is no JSON"));
      auto taken = parsed->is_array() ? row(parsed->get_array()) : object(*parsed);
      if (!taken)
        return std::unexpected(std::move(taken.error()));
      if (!ended_)
        digest_.add(line + "\n");
    }
    if (!ended_)
      return std::unexpected(broken(line_ == 0 ? "The file cannot be read" : "The file ends too early"));
    if (in_.peek() != std::char_traits<char>::eof())
      return std::unexpected(broken("Something follows the end of the backup"));
    return std::move(contents_);
  }

private:
  fault at_line(const std::string& what) const { return broken("Line " + std::to_string(line_) + " " + what); }

  std::expected<void, fault> object(const json::value& v) {
    if (!v.is_object())
      return std::unexpected(at_line("is neither an object nor a row"));
    const auto& o = v.get_object();
    if (line_ == 1)
      return begin(o);
    if (const auto name = json::string_at(o, "table"))
      return table(*name, o);
    return end(o);
  }

  std::expected<void, fault> begin(const json::object& o) {
    if (json::string_at(o, "format") != backup_format)
      return std::unexpected(at_line("does not begin a backup"));
    if (json::integer_at(o, "version") != backup_version)
      return std::unexpected(fault{"backup_newer",
                                   "the backup has a version that this program does not know: use the "
                                   "program that wrote it, or a newer one",
                                   cure::fix_input});
    contents_.schema = json::integer_at(o, "schema").value_or(0);
    contents_.at = json::string_at(o, "at").value_or("");
    if (contents_.schema != persistence::schema_version())
      return std::unexpected(fault{"schema_differs",
                                   "the backup has schema version " + std::to_string(contents_.schema) +
                                       ", this program works with version " +
                                       std::to_string(persistence::schema_version()) +
                                       ": restore it with the program that wrote it, then migrate",
                                   cure::fix_input});
    return {};
  }

  std::expected<void, fault> table(std::string_view name, const json::object& o) {
    const auto all = persistence::copied_tables();
    if (next_table_ == all.size() || all[next_table_].name != name)
      return std::unexpected(at_line("begins a table out of its place"));
    table_ = &all[next_table_++];
    const auto* columns = json::array_at(o, "columns");
    if (!columns || *columns != columns_of(*table_))
      return std::unexpected(at_line("names other columns than this program knows"));
    contents_.rows[std::string(name)] = 0;
    return {};
  }

  std::expected<void, fault> row(const json::array& values) {
    const auto cells = table_ ? row_of(*table_, values) : std::nullopt;
    if (!cells)
      return std::unexpected(at_line("is no row of its table"));
    ++contents_.rows[std::string(table_->name)];
    return take_ ? take_(*table_, *cells) : std::expected<void, fault>();
  }

  std::expected<void, fault> end(const json::object& o) {
    const auto* counts = json::object_at(o, "rows");
    if (!counts || next_table_ != persistence::copied_tables().size())
      return std::unexpected(at_line("ends the backup before all tables came"));
    for (const auto& [name, rows] : contents_.rows)
      if (json::integer_at(*counts, name) != rows)
        return std::unexpected(broken("The table '" + name + "' has " + std::to_string(rows) +
                                      " rows, and the backup's end counts others"));
    if (json::string_at(o, "sha256") != digest_.finish())
      return std::unexpected(broken("The digest is not that of what the file holds"));
    ended_ = true;
    return {};
  }

  std::ifstream in_;
  const backup_row_taker& take_;
  digest digest_;
  backup_contents contents_;
  const copied_table* table_ = nullptr;
  size_t next_table_ = 0;
  int64_t line_ = 0;
  bool ended_ = false;
};

} // namespace

std::expected<backup_contents, fault> write_backup(persistence::store_reader& store, timepoint now,
                                                   const std::string& file) {
  auto out = private_file::create(file);
  if (!out)
    return std::unexpected(std::move(out.error()));
  line_writer lines(*out);
  backup_contents contents{persistence::schema_version(), to_rfc3339(now), {}};
  auto done = lines.put(json::object{
      {"format", backup_format}, {"version", backup_version}, {"schema", contents.schema}, {"at", contents.at}});
  for (const auto& t : persistence::copied_tables()) {
    if (!done)
      break;
    auto& count = contents.rows[std::string(t.name)];
    done = lines.put(json::object{{"table", t.name}, {"columns", columns_of(t)}});
    if (done)
      done = store.read(t, [&](auto row) {
        ++count;
        return lines.put(row_json(t, row));
      });
  }
  if (!done)
    return std::unexpected(std::move(done.error()));
  json::object counts;
  for (const auto& [name, rows] : contents.rows)
    counts[name] = rows;
  const json::object end{{"rows", std::move(counts)}, {"sha256", lines.digest_so_far()}};
  if (auto written = out->write(json::write(end) + "\n"); !written)
    return std::unexpected(std::move(written.error()));
  if (auto finished = out->finish(); !finished)
    return std::unexpected(std::move(finished.error()));
  return contents;
}

std::expected<backup_contents, fault> read_backup(const std::string& file, const backup_row_taker& take) {
  return backup_reader(file, take).read_all();
}

} // namespace fondaco::tools
