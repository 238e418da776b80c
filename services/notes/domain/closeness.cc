#include "services/notes/domain/closeness.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/time/convert.h"
#include "services/notes/domain/html.h"

namespace rapport::notes {
namespace {

constexpr int kRings = 4;
constexpr int kMostPlaces = 200;
constexpr int kWidth = 620;
constexpr int kLeastHeight = 320;
constexpr int kRow = 24;  // of a label
constexpr int kLabelLetters = 15;
constexpr double kRadius = 130;
constexpr double kInnermost = 23;                 // clear of "me"
constexpr double kWidestAngle = 75 * M_PI / 180;  // from the horizontal

struct Placed {
  const v1::Entry* entry = nullptr;
  absl::Time time;
};

v1::ClosenessPlace PlaceOf(const v1::Entry& entry) {
  v1::ClosenessPlace place;
  place.set_relationship(entry.name());
  place.set_person(entry.relationship().person());
  place.set_kind(entry.relationship().kind());
  place.set_ring(entry.relationship().closeness());
  return place;
}

void Fill(std::vector<Placed> placed, const CaseFile& file, v1::ClosenessCircle& circle) {
  if (placed.empty()) return;
  absl::Time newest = absl::InfinitePast();
  for (const Placed& one : placed) newest = std::max(newest, one.time);
  *circle.mutable_date() = time::ToDate(file.DayOf(newest));
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return a.entry->relationship().closeness() < b.entry->relationship().closeness();
  });
  for (const Placed& one : placed) {
    if (circle.places_size() < kMostPlaces) *circle.add_places() = PlaceOf(*one.entry);
  }
}

// The first letters of a text, whole ones.
std::string Shortened(const std::string& text, int letters) {
  size_t at = 0;
  while (at < text.size() && letters > 0) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    --letters;
  }
  return at == text.size() ? text : absl::StrCat(text.substr(0, at), "…");
}

}  // namespace

v1::ClosenessCircles CirclesOf(const CaseFile& file, const View& view,
                               const std::vector<v1::Entry>& versions,
                               const v1::ReviewRules& rules) {
  std::map<std::string, std::vector<const v1::Entry*>> people;
  for (const v1::Entry& entry : versions) people[entry.name()].push_back(&entry);

  std::vector<Placed> first, last;
  for (const auto& [name, of_one] : people) {
    const v1::Entry& newest = *of_one.back();
    if (newest.erased() || !IsIn(file, view, newest)) continue;
    for (const v1::Entry* version : of_one) {
      if (version->relationship().closeness() < 1) continue;
      first.push_back({version, time::ToTime(version->update_time())});
      break;
    }
    if (newest.relationship().closeness() >= 1) {
      last.push_back({&newest, time::ToTime(newest.update_time())});
    }
  }
  absl::Time begin = absl::InfiniteFuture();
  for (const Placed& one : first) begin = std::min(begin, one.time);
  first.erase(std::remove_if(first.begin(), first.end(),
                             [&](const Placed& one) {
                               return file.DayOf(one.time) - file.DayOf(begin) >
                                      rules.first_circle_days();
                             }),
              first.end());

  v1::ClosenessCircles response;
  Fill(std::move(first), file, *response.mutable_first());
  Fill(std::move(last), file, *response.mutable_last());

  std::map<std::string, v1::ClosenessChange> changes;
  for (const v1::ClosenessPlace& place : response.first().places()) {
    v1::ClosenessChange& change = changes[place.relationship()];
    change.set_person(place.person());
    change.set_first_ring(place.ring());
  }
  for (const v1::ClosenessPlace& place : response.last().places()) {
    v1::ClosenessChange& change = changes[place.relationship()];
    change.set_person(place.person());
    change.set_last_ring(place.ring());
  }
  std::vector<v1::ClosenessChange> moved;
  for (auto& [name, change] : changes) {
    change.set_relationship(name);
    if (change.first_ring() != change.last_ring()) moved.push_back(change);
  }
  // Who is not on a circle stands outside of its last ring.
  const auto size = [](const v1::ClosenessChange& change) {
    const auto ring = [](int r) { return r == 0 ? kRings + 1 : r; };
    return std::abs(ring(change.first_ring()) - ring(change.last_ring()));
  };
  std::stable_sort(moved.begin(), moved.end(),
                   [&](const auto& a, const auto& b) { return size(a) > size(b); });
  for (v1::ClosenessChange& change : moved) {
    if (response.changes_size() < kMostPlaces) *response.add_changes() = std::move(change);
  }
  std::vector<std::string> order;
  for (const auto& [name, change] : changes) order.push_back(name);
  for (auto [circle, title] : {std::pair(response.mutable_first(), "Closeness at first"),
                               std::pair(response.mutable_last(), "Closeness now")}) {
    if (!circle->places().empty()) circle->set_svg(DrawCircle(*circle, order, title));
  }
  return response;
}

std::string DrawCircle(const v1::ClosenessCircle& circle, const std::vector<std::string>& order,
                       absl::string_view title) {
  // To the right and to the left in turn.
  const int slots = static_cast<int>(order.size());
  const int rows = (slots + 1) / 2;
  const int height = std::max(kLeastHeight, (rows + 1) * kRow);
  const double cx = kWidth / 2.0, cy = height / 2.0;

  std::string svg;
  absl::StrAppendFormat(
      &svg,
      "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" height=\"%d\" "
      "viewBox=\"0 0 %d %d\" role=\"img\" font-family=\"Helvetica, Arial, sans-serif\">"
      "<title>%s</title>",
      kWidth, height, kWidth, height, Escaped(title));
  constexpr const char* kFills[kRings] = {"#f7f3ea", "#efe7d6", "#e5dabf", "#d9caa5"};
  for (int ring = kRings; ring >= 1; --ring) {
    const double radius = kRadius * ring / kRings;
    absl::StrAppendFormat(&svg,
                          "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\" "
                          "stroke=\"#b7a67c\" stroke-width=\"1\"/>"
                          "<text x=\"%.1f\" y=\"%.1f\" font-size=\"11\" fill=\"#7a6b45\" "
                          "text-anchor=\"middle\">%d</text>",
                          cx, cy, radius, kFills[ring - 1], cx, cy - radius + 13, ring);
  }
  absl::StrAppendFormat(&svg,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"12\" fill=\"#14324d\"/>"
                        "<text x=\"%.1f\" y=\"%.1f\" font-size=\"11\" fill=\"#ffffff\" "
                        "text-anchor=\"middle\">me</text>",
                        cx, cy, cx, cy + 3.5);
  for (const v1::ClosenessPlace& place : circle.places()) {
    const int slot = static_cast<int>(std::find(order.begin(), order.end(), place.relationship()) -
                                      order.begin());
    const int side = slot % 2 == 0 ? 1 : -1;
    const int row = slot / 2;
    const int on_side = (slots + (side > 0 ? 1 : 0)) / 2;
    const double part = on_side == 1 ? 0.5 : static_cast<double>(row) / (on_side - 1);
    const double angle = -kWidestAngle + 2 * kWidestAngle * part;
    const double radius = std::max(kInnermost, kRadius * (place.ring() - 0.5) / kRings);
    const double x = cx + side * radius * std::cos(angle);
    const double y = cy + radius * std::sin(angle);
    const double label_x = cx + side * (kRadius + 14);
    const double spread = std::min(height / 2.0 - kRow, kRadius);
    const double label_y =
        on_side == 1 ? cy : cy + (2 * part - 1) * std::max(spread, (on_side - 1) * kRow / 2.0);
    const bool deceased = place.kind() == v1::RELATIONSHIP_KIND_DECEASED;
    absl::StrAppendFormat(
        &svg,
        "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#8b98a5\" stroke-width=\"0.75\" fill=\"none\"/>"
        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\" stroke=\"#b4552d\" "
        "stroke-width=\"1.5\"/>"
        "<text x=\"%.1f\" y=\"%.1f\" font-size=\"17\" fill=\"#1d2733\" "
        "text-anchor=\"%s\">%s</text>",
        x + side * 6, y, label_x - side * 4, label_y, x, y, deceased ? "#ffffff" : "#b4552d",
        label_x, label_y + 6, side > 0 ? "start" : "end",
        Escaped(Shortened(place.person(), kLabelLetters)));
  }
  absl::StrAppend(&svg, "</svg>");
  return svg;
}

}  // namespace rapport::notes
