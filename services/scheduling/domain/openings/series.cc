#include "services/scheduling/domain/openings/series.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/civil_time.h"
#include "services/scheduling/domain/openings/match.h"

namespace rapport::scheduling::openings {
namespace {

constexpr int kMostPlans = 20;
constexpr int kMostTries = 16;  // starts of a clinician for which repairs are sought
constexpr int kUnbrokenEnding = 4;
constexpr int kAnniversaryDays = 3;
constexpr int kUsualCadence = 7;
constexpr Granule kApart = kDay;  // between the starts of neighbouring sessions

// Where the bits of one session are, for the starts of the series: pieces of the line of starts of
// single sessions.
struct Piece {
  enum class Kind {
    kCopy,  // words one for one
    kRead,  // one word, from `target` on
    kBits,  // one word, each bit by the clock
  };
  Kind kind;
  size_t word = 0;  // of the series' start
  size_t count = 1;
  size_t target_word = 0;
  Granule target = 0;
};

struct Session {
  int32_t day_offset = 0;
  // All one copy, so many words on; else `pieces`.
  std::optional<ptrdiff_t> ahead;
  std::vector<Piece> pieces;
  Line must;  // starts for which it allows no exception
};

// What the clinics that share an axis have in common.
struct AxisLines {
  // Starts of series are in the words [first_word, start_end), sessions in [first_word, end_word).
  size_t first_word = 0;
  size_t start_end = 0;
  size_t end_word = 0;
  Line first;     // where a series may start
  Line sessions;  // where the patients can attend any session
  Line movable;   // of those, where an exception may go
  Line preferred_time;
  Line preferred_day;
  std::vector<Session> list;
};

struct Repair {
  PlannedSession::Kind kind = PlannedSession::Kind::kSkipped;
  Granule start = 0;
  uint32_t clinic = 0;
  int64_t cost = 0;
};

class Planner {
 public:
  Planner(const AvailabilityIndex& index, const SeriesQuery& query)
      : index_(index),
        query_(query),
        scope_(index, query.filter),
        popularity_(index.popularity()),
        granules_(GranulesOf(absl::Minutes(query.minutes))),
        step_(std::max(1, query.step_minutes / kGranuleMinutes)),
        rooms_(query.filter.room.has_value() && !query.filter.remote),
        most_(std::clamp(query.max_exceptions, 0, kMostExceptions)),
        unbroken_(query.unbroken_ending || !query.anniversaries.empty()),
        clinics_(scope_.places().size()),
        visited_(index.clinicians().size() / 64 + 1) {
    const std::vector<int>& offsets = query.day_offsets;
    if (offsets.empty()) return;
    const int cadence =
        offsets.size() > 1 ? offsets.back() - offsets[offsets.size() - 2] : kUsualCadence;
    for (int i = 0; i < most_; ++i) appended_.push_back(offsets.back() + (i + 1) * cadence);
    starts_ = {std::max(CeilGranule(query.earliest), index.horizon().from),
               std::min(CeilGranule(query.latest), index.horizon().to)};
    const int last = most_ > 0 ? appended_.back() : offsets.back();
    sessions_ = {starts_.from,
                 std::min(starts_.to + (last + query.repair_days + 1) * kDay, index.horizon().to)};
    MarkAnniversaries();
    MakeSteps();
  }

  // Visits whom the filter takes, until they are all seen.
  template <typename SeeRows>
  void ForEachClinician(const SeeRows& see) {
    const std::vector<int>& offsets = query_.day_offsets;
    const bool too_long =
        query_.max_weeks > 0 && !offsets.empty() && offsets.back() >= query_.max_weeks * 7;
    if (offsets.empty() || too_long || starts_.from >= starts_.to || granules_ == 0) return;
    for (size_t at = 0; at < scope_.places().size(); ++at) {
      const auto& rows = index_.clinics()[scope_.places()[at].clinic].rows;
      for (size_t i = 0; i < rows.size(); ++i) {
        const AxisLines* lines = clinics_[at].axis;
        if (i + 1 < rows.size() && lines != nullptr && rows[i + 1].free != nullptr) {
          PrefetchWords(rows[i + 1].free + lines->first_word);
        }
        const AvailabilityIndex::RowOf& of = rows[i];
        if (!scope_.Takes(of.clinician)) continue;
        const AvailabilityIndex::Clinician& clinician = index_.clinicians()[of.clinician];
        if (!of.alone) {
          if (TestBit(visited_.data(), of.clinician)) continue;
          SetBits(visited_.data(), of.clinician, of.clinician + 1);
        }
        const bool former = scope_.Former(of.clinician);
        const int exceptions = Solve(clinician, former);
        if (!rows_.empty()) see(clinician, former, exceptions);
      }
    }
  }

  std::vector<SeriesPlan> Plan() {
    wanted_ = std::clamp(query_.limit, 0, kMostPlans);
    if (wanted_ == 0) return {};
    ForEachClinician(
        [&](const AvailabilityIndex::Clinician& clinician, bool former, int exceptions) {
          Offered offered(std::max(1, query_.per_clinician), granules_);
          remote_.clear();
          int tries = 0;
          starts_of_.ForEach(
              rows_, exceptions, former, clinician.attributes.id, popularity_,
              [&](const Standing& standing, const RowStarts& row) {
                if (best_.size() == wanted_ && !standing.Before(best_.front().standing)) {
                  return false;
                }
                if (offered.Overlaps(standing.values[6])) return true;
                if (++tries > kMostTries) return false;
                if (auto plan = PlanFrom(clinician, row, standing)) {
                  offered.Add(standing.values[6]);
                  Keep({standing, *std::move(plan)});
                }
                return !offered.Full();
              });
        });
    std::sort_heap(best_.begin(), best_.end());
    std::vector<SeriesPlan> plans;
    for (Found& found : best_) plans.push_back(std::move(found.plan));
    return plans;
  }

  const std::vector<RowStarts>& rows() const { return rows_; }

 private:
  struct Found {
    Standing standing;
    SeriesPlan plan;
    bool operator<(const Found& other) const { return standing.Before(other.standing); }
  };
  struct ClinicLines {
    const AxisLines* axis = nullptr;
    Line with_room;
  };
  struct Scratch {
    Line sessions;  // where the clinician can hold any session
    Line gathered;
    std::array<Line, kMostExceptions + 1> levels;
  };

  void MarkAnniversaries() {
    const absl::CivilDay epoch(1970, 1, 1);
    const auto year_of = [](Granule granule) {
      return absl::ToCivilDay(TimeOf(granule), absl::UTCTimeZone()).year();
    };
    for (const MonthDay& date : query_.anniversaries) {
      for (auto year = year_of(sessions_.from) - 1; year <= year_of(sessions_.to) + 1; ++year) {
        // 29 February is 1 March where there is none.
        anniversaries_.insert(
            static_cast<int32_t>(absl::CivilDay(year, date.month, date.day) - epoch));
      }
    }
  }

  bool NearAnniversary(int32_t day) const {
    for (int away = -kAnniversaryDays; away <= kAnniversaryDays; ++away) {
      if (anniversaries_.contains(day + away)) return true;
    }
    return false;
  }

  void MakeSteps() {
    const size_t count = query_.day_offsets.size();
    steps_.resize(count);
    size_t next = 0;
    for (const PhaseCap& phase : query_.phases) {
      const size_t end = std::min(count, next + std::max(0, phase.sessions));
      for (; next < end; ++next) {
        steps_[next].strict = phase.exceptions <= 0;
        if (next + 1 == end) {
          steps_[next].ends_phase = true;
          steps_[next].phase_exceptions = std::max(0, phase.exceptions);
        }
      }
    }
    for (size_t i = 0; i < count; ++i) {
      const bool ending = unbroken_ && i + kUnbrokenEnding >= count;
      if (i == 0 || ending || most_ == 0) steps_[i].strict = true;
    }
  }

  Granule SessionAt(const WallClock& clock, Granule start, int32_t day_offset) const {
    return clock.Utc(clock.Local(start) + day_offset * kDay);
  }

  const AxisLines& LinesOf(const AvailabilityIndex::Clinic& clinic) {
    std::unique_ptr<AxisLines>& slot = axes_[clinic.axis.get()];
    if (slot != nullptr) return *slot;
    slot = std::make_unique<AxisLines>();
    AxisLines& lines = *slot;
    const Axis& axis = *clinic.axis;
    const WallClock& clock = *clinic.clock;
    lines.first_word = axis.WordAt(starts_.from);
    lines.start_end = std::min(axis.words(), axis.WordAt(starts_.to - 1) + 1);
    lines.end_word = std::min(axis.words(), axis.WordAt(sessions_.to - 1) + 1);
    lines.first = StartLine(axis, clock, starts_, step_, granules_, query_.required, {});
    lines.sessions.assign(axis.words() + kPadWords, 0);
    axis.Set(lines.sessions.data(), sessions_);
    ClearBusy(axis, query_.patients_busy, granules_, lines.sessions.data());
    lines.movable = StartLine(axis, clock, sessions_, step_, granules_,
                              {query_.required.windows, {}}, query_.patients_busy);
    if (!query_.preferred.windows.empty()) {
      lines.preferred_time = WindowLine(axis, clock, starts_, query_.preferred.windows, granules_);
    }
    if (!query_.preferred.weekdays.empty()) {
      lines.preferred_day = WeekdayLine(axis, clock, starts_, query_.preferred.weekdays);
    }
    for (const int offset : query_.day_offsets) {
      lines.list.push_back(SessionOf(axis, clock, lines, offset));
    }
    if (!anniversaries_.empty()) HeedAnniversaries(axis, clock, lines);
    return lines;
  }

  Session SessionOf(const Axis& axis, const WallClock& clock, const AxisLines& lines,
                    int32_t offset) const {
    Session session{.day_offset = offset, .ahead = {}, .pieces = {}, .must = {}};
    const std::vector<Axis::Window>& windows = axis.windows();
    for (size_t at = axis.WindowAt(starts_.from);
         at < windows.size() && windows[at].from < starts_.to; ++at) {
      const Axis::Window& window = windows[at];
      const size_t words = (window.to - window.from) / 64 + 1;
      // Whether the granules [from, to) come at one distance, without a change of the clock.
      const auto steady = [&](Granule from, Granule to) {
        return clock.NextChange(from, to) == to &&
               SessionAt(clock, to - 1, offset) - SessionAt(clock, from, offset) == to - 1 - from;
      };
      const Granule target = SessionAt(clock, window.from, offset);
      const size_t there = axis.WindowAt(target);
      if (steady(window.from, window.to) && there < windows.size() &&
          windows[there].from == target &&
          windows[there].to - windows[there].from >= window.to - window.from) {
        session.pieces.push_back({Piece::Kind::kCopy, static_cast<size_t>(window.word), words,
                                  static_cast<size_t>(windows[there].word), target});
        continue;
      }
      for (size_t word = 0; word < words; ++word) {
        const Granule from = window.from + static_cast<Granule>(word * 64);
        const Granule to = std::min<Granule>(from + 64, window.to);
        if (from >= to) continue;
        session.pieces.push_back({steady(from, to) ? Piece::Kind::kRead : Piece::Kind::kBits,
                                  window.word + word, 1, 0, SessionAt(clock, from, offset)});
      }
    }
    const auto ahead = [](const Piece& piece) {
      return static_cast<ptrdiff_t>(piece.target_word) - static_cast<ptrdiff_t>(piece.word);
    };
    const bool one =
        !session.pieces.empty() &&
        std::all_of(session.pieces.begin(), session.pieces.end(), [&](const Piece& piece) {
          return piece.kind == Piece::Kind::kCopy && ahead(piece) == ahead(session.pieces[0]);
        });
    if (one && lines.start_end + ahead(session.pieces[0]) <= axis.words()) {
      session.ahead = ahead(session.pieces[0]);
    }
    return session;
  }

  void HeedAnniversaries(const Axis& axis, const WallClock& clock, AxisLines& lines) const {
    const int32_t from = FloorDiv(clock.Local(starts_.from), kDay);
    const int32_t to = FloorDiv(clock.Local(starts_.to), kDay) + 1;
    for (int32_t day = from; day < to; ++day) {
      const Stretch stretch{clock.Utc(day * kDay), clock.Utc((day + 1) * kDay)};
      for (Session& session : lines.list) {
        if (!NearAnniversary(day + session.day_offset)) continue;
        if (session.must.empty()) session.must.assign(axis.words() + kPadWords, 0);
        axis.Set(session.must.data(), stretch);
      }
      if (anniversaries_.contains(day + query_.day_offsets.back())) {
        axis.Clear(lines.first.data(), stretch);
      }
    }
  }

  const uint64_t* SessionsAt(const AvailabilityIndex::Clinic& clinic, size_t place) {
    ClinicLines& lines = clinics_[place];
    if (!rooms_) return lines.axis->sessions.data();
    if (lines.with_room.empty()) {
      lines.with_room = RoomLine(index_, clinic, *query_.filter.room, granules_,
                                 lines.axis->first_word, lines.axis->end_word);
      AndLine(lines.axis->sessions.data(), clinic.axis->words(), lines.with_room.data());
    }
    return lines.with_room.data();
  }

  void Gather(const AvailabilityIndex::Clinic& clinic, const Session& session,
              const uint64_t* sessions, uint64_t* out) const {
    for (const Piece& piece : session.pieces) {
      switch (piece.kind) {
        case Piece::Kind::kCopy:
          std::copy_n(sessions + piece.target_word, piece.count, out + piece.word);
          break;
        case Piece::Kind::kRead:
          out[piece.word] = clinic.axis->Read(sessions, piece.target);
          break;
        case Piece::Kind::kBits: {
          uint64_t bits = 0;
          size_t window = 0;
          for (size_t bit = 0; bit < 64; ++bit) {
            const Granule start = clinic.axis->GranuleOf(piece.word * 64 + bit, window);
            const auto at = clinic.axis->BitOf(SessionAt(*clinic.clock, start, session.day_offset));
            if (at.has_value() && TestBit(sessions, *at)) bits |= uint64_t{1} << bit;
          }
          out[piece.word] = bits;
          break;
        }
      }
    }
  }

  // Makes rows_ of the starts that carry the series, as far as they can be among the best; returns
  // how many exceptions were allowed.
  int Solve(const AvailabilityIndex::Clinician& clinician, bool former) {
    rows_.clear();
    solved_.clear();
    size_t used = 0;
    int exceptions = most_;
    const std::array<int32_t, 7>* worst =
        wanted_ > 0 && best_.size() == wanted_ ? &best_.front().standing.values : nullptr;
    const int not_former = former ? 0 : 1;
    if (worst != nullptr) {
      if (not_former > (*worst)[0]) return 0;
      if (not_former == (*worst)[0]) exceptions = std::min(exceptions, (*worst)[1]);
    }
    const int limit =
        StricterLimit(query_.max_sessions_per_day, clinician.attributes.max_sessions_per_day);
    for (const AvailabilityIndex::Row& row : clinician.rows) {
      const Scope::Place* place = scope_.Find(row.clinic);
      if (place == nullptr || row.free.empty()) continue;
      const AvailabilityIndex::Clinic& clinic = index_.clinics()[row.clinic];
      const size_t at = place - scope_.places().data();
      if (clinics_[at].axis == nullptr) clinics_[at].axis = &LinesOf(clinic);
      const AxisLines& lines = *clinics_[at].axis;
      size_t end = lines.start_end;
      if (worst != nullptr) {
        const std::array<int32_t, 4> bound{not_former, 0, 0, place->rank};
        const std::array<int32_t, 4> prefix{(*worst)[0], (*worst)[1], (*worst)[2], (*worst)[3]};
        if (bound > prefix) continue;
        if (bound == prefix) {
          const Granule day_end = clinic.clock->Utc(((*worst)[4] + 1) * kDay);
          if (day_end <= starts_.from) continue;
          end = std::min(end, clinic.axis->WordAt(day_end - 1) + 1);
        }
      }
      if (lines.first_word >= end) continue;
      if (scratch_.size() <= used) scratch_.emplace_back();
      Scratch& scratch = scratch_[used];
      const size_t room = clinic.axis->words() + kPadWords;
      if (scratch.sessions.size() < room) {
        scratch.sessions.resize(room);
        for (Line& level : scratch.levels) level.resize(room);
      }
      const size_t first = lines.first_word;
      if (!RunStarts(row.free.data() + first, lines.end_word - first, Run(clinician),
                     SessionsAt(clinic, at) + first, scratch.sessions.data() + first)) {
        continue;
      }
      // Behind the end are other clinicians' sessions.
      std::fill(scratch.sessions.begin() + lines.end_word, scratch.sessions.end(), 0);
      ClearUnlicensed(clinician, clinic, scratch.sessions.data());
      ClearFullDays(index_, clinician, clinic, limit, scratch.sessions.data());
      if (!Fits(clinic, lines, end, exceptions, scratch)) continue;
      ++used;
      RowStarts starts{.clinic = &clinic,
                       .rank = place->rank,
                       .first_word = first,
                       .end_word = end,
                       .levels = {},
                       .preferred = {Data(lines.preferred_time), Data(lines.preferred_day)}};
      for (int e = 0; e <= exceptions; ++e) starts.levels[e] = scratch.levels[e].data();
      rows_.push_back(starts);
      solved_.push_back({&clinic, scratch.sessions.data(), &lines});
    }
    std::stable_sort(rows_.begin(), rows_.end(),
                     [](const RowStarts& a, const RowStarts& b) { return a.rank < b.rank; });
    return exceptions;
  }

  bool Fits(const AvailabilityIndex::Clinic& clinic, const AxisLines& lines, size_t end,
            int exceptions, Scratch& scratch) {
    const size_t first = lines.first_word;
    const size_t words = end - first;
    const size_t stride = clinic.axis->words() + kPadWords;
    size_t gathered = 0;
    for (const Session& session : lines.list) gathered += session.ahead.has_value() ? 0 : 1;
    if (scratch.gathered.size() < gathered * stride) scratch.gathered.resize(gathered * stride);
    gathered = 0;
    for (size_t i = 0; i < steps_.size(); ++i) {
      const Session& session = lines.list[i];
      if (session.ahead.has_value()) {
        steps_[i].free = scratch.sessions.data() + first + *session.ahead;
      } else {
        uint64_t* out = scratch.gathered.data() + gathered++ * stride;
        Gather(clinic, session, scratch.sessions.data(), out);
        steps_[i].free = out + first;
      }
      steps_[i].must = session.must.empty() ? nullptr : session.must.data() + first;
    }
    std::array<uint64_t*, kMostExceptions + 1> levels;
    for (int e = 0; e <= kMostExceptions; ++e) levels[e] = scratch.levels[e].data() + first;
    return SeriesStarts(lines.first.data() + first, words, steps_.data(), steps_.size(), exceptions,
                        levels.data());
  }

  int Run(const AvailabilityIndex::Clinician& clinician) const {
    return std::min(granules_ + clinician.buffer, kLongestRun);
  }

  struct Solved {
    const AvailabilityIndex::Clinic* clinic = nullptr;
    const uint64_t* sessions = nullptr;
    const AxisLines* lines = nullptr;
  };

  static bool IsFree(const Solved& row, Granule start) {
    const auto bit = row.clinic->axis->BitOf(start);
    return bit.has_value() && TestBit(row.sessions, *bit);
  }

  // Starts of `line` at most repair_days from `planned`, as repairs.
  void AddRepairs(const Axis& axis, const uint64_t* line, const uint64_t* also, uint32_t clinic,
                  PlannedSession::Kind kind, int64_t base, Granule planned, Stretch within,
                  std::vector<Repair>& repairs) const {
    const Stretch reach{std::max(within.from, planned - query_.repair_days * kDay),
                        std::min(within.to, planned + query_.repair_days * kDay + 1)};
    if (reach.from >= reach.to || axis.words() == 0) return;
    const size_t end = std::min(axis.words(), axis.WordAt(reach.to - 1) + 1);
    size_t window = 0;
    for (size_t word = axis.WordAt(reach.from); word < end; ++word) {
      for (uint64_t bits = line[word] & also[word]; bits != 0; bits &= bits - 1) {
        const Granule start = axis.GranuleOf(word * 64 + __builtin_ctzll(bits), window);
        if (start < reach.from || start >= reach.to) continue;
        repairs.push_back({kind, start, clinic, base + std::abs(start - planned)});
      }
    }
  }

  bool MayGoRemote(const AvailabilityIndex::Clinician& clinician) const {
    if (query_.remote_modality.empty() || query_.filter.remote) return false;
    const uint32_t number = index_.NumberOf(clinician);
    const auto has = [&](const BitSets& sets, const std::string& value) {
      const BitSets::Set* set = sets.Find(value);
      return set != nullptr && number / 64 < set->size() && TestBit(set->data(), number);
    };
    return has(index_.modalities(), query_.remote_modality) &&
           (query_.filter.patient_jurisdiction.empty() ||
            has(index_.jurisdictions(), query_.filter.patient_jurisdiction));
  }

  // Where the clinician can see the patient remotely, by row.
  const std::vector<Line>& RemoteOf(const AvailabilityIndex::Clinician& clinician) {
    if (!remote_.empty()) return remote_;
    const int limit =
        StricterLimit(query_.max_sessions_per_day, clinician.attributes.max_sessions_per_day);
    for (const AvailabilityIndex::Row& row : clinician.rows) {
      Line& line = remote_.emplace_back();
      if (row.free.empty()) continue;
      const AvailabilityIndex::Clinic& clinic = index_.clinics()[row.clinic];
      const Line mask = StartLine(*clinic.axis, *clinic.clock, sessions_, step_, granules_,
                                  {query_.required.windows, {}}, query_.patients_busy);
      line.resize(mask.size());
      RunStarts(row.free.data(), clinic.axis->words(), Run(clinician), mask.data(), line.data());
      ClearUnlicensed(clinician, clinic, line.data());
      ClearFullDays(index_, clinician, clinic, limit, line.data());
    }
    return remote_;
  }

  std::vector<Repair> RepairsFor(const AvailabilityIndex::Clinician& clinician, const Solved& row,
                                 Granule planned, Stretch within) {
    constexpr int64_t kRemoteCost = 1'000'000;
    constexpr int64_t kSkipCost = 1'000'000'000;
    std::vector<Repair> repairs;
    const auto here = static_cast<uint32_t>(row.clinic - index_.clinics().data());
    AddRepairs(*row.clinic->axis, row.sessions, row.lines->movable.data(), here,
               PlannedSession::Kind::kMoved, 0, planned, within, repairs);
    if (MayGoRemote(clinician)) {
      const std::vector<Line>& remote = RemoteOf(clinician);
      for (size_t i = 0; i < clinician.rows.size(); ++i) {
        if (clinician.rows[i].free.empty()) continue;
        const AvailabilityIndex::Clinic& clinic = index_.clinics()[clinician.rows[i].clinic];
        AddRepairs(*clinic.axis, remote[i].data(), remote[i].data(), clinician.rows[i].clinic,
                   PlannedSession::Kind::kRemote, kRemoteCost, planned, within, repairs);
      }
    }
    repairs.push_back({PlannedSession::Kind::kSkipped, planned, here, kSkipCost});
    std::stable_sort(repairs.begin(), repairs.end(), [](const Repair& a, const Repair& b) {
      return std::pair(a.cost, a.start) < std::pair(b.cost, b.start);
    });
    return repairs;
  }

  std::optional<SeriesPlan> PlanFrom(const AvailabilityIndex::Clinician& clinician,
                                     const RowStarts& starts, const Standing& standing) {
    const Solved& row = *std::find_if(solved_.begin(), solved_.end(), [&](const Solved& other) {
      return other.clinic == starts.clinic;
    });
    const WallClock& clock = *row.clinic->clock;
    const Granule start = standing.values[6];
    const auto here = static_cast<uint32_t>(row.clinic - index_.clinics().data());
    std::vector<Granule> planned;
    for (const int offset : query_.day_offsets) {
      planned.push_back(SessionAt(clock, start, offset));
    }
    // Each begins less than max_weeks after the first, by the clock.
    const Granule end =
        query_.max_weeks > 0 ? SessionAt(clock, start, query_.max_weeks * 7) : sessions_.to;
    const Stretch within{start, std::min(end, sessions_.to)};

    RepairSearch search(planned);
    for (size_t i = 0; i < planned.size(); ++i) {
      if (IsFree(row, planned[i])) continue;
      search.exceptions.push_back(i);
      search.options.push_back(RepairsFor(clinician, row, planned[i], within));
    }
    for (const int offset : appended_) {
      const Granule at = SessionAt(clock, start, offset);
      if (at >= within.to || !IsFree(row, at)) break;
      search.appended.push_back(at);
      search.ends_on_anniversary.push_back(
          anniversaries_.contains(FloorDiv(clock.Local(at), kDay)));
    }
    if (!search.Run()) return std::nullopt;

    SeriesPlan plan{.clinician = clinician.attributes.id,
                    .clinic = row.clinic->id,
                    .sessions = {},
                    .exceptions = standing.values[1],
                    .reasons = {},
                    .key = {standing.values[0], standing.values[1], standing.Key()}};
    plan.reasons = ReasonsFor(plan.key.first, !query_.filter.nearest_clinics.empty(),
                              query_.preferred, CeilGranule(query_.earliest));
    const auto add = [&](PlannedSession::Kind kind, Granule at, Granule meant, uint32_t clinic) {
      plan.sessions.push_back({kind, TimeOf(at), TimeOf(meant), index_.clinics()[clinic].id});
    };
    size_t next = 0;
    size_t skipped = 0;
    for (size_t i = 0; i < planned.size(); ++i) {
      if (next < search.exceptions.size() && search.exceptions[next] == i) {
        const Repair& repair = search.best[next++];
        if (repair.kind == PlannedSession::Kind::kSkipped) ++skipped;
        add(repair.kind, repair.start, planned[i], repair.clinic);
      } else {
        add(PlannedSession::Kind::kRegular, planned[i], planned[i], here);
      }
    }
    for (size_t i = 0; i < skipped; ++i) {
      add(PlannedSession::Kind::kAppended, search.appended[i], search.appended[i], here);
    }
    return plan;
  }

  // Finds the cheapest repairs that keep the sessions apart and in order.
  struct RepairSearch {
    explicit RepairSearch(const std::vector<Granule>& planned_in) : planned(planned_in) {}

    const std::vector<Granule>& planned;
    std::vector<size_t> exceptions;
    std::vector<std::vector<Repair>> options;
    std::vector<Granule> appended;
    std::vector<bool> ends_on_anniversary;
    std::vector<Repair> chosen;
    std::vector<Repair> best;
    int64_t best_cost = INT64_MAX;

    bool Run() {
      Choose(0, 0, 0);
      return best_cost < INT64_MAX;
    }

    void Choose(size_t next, size_t skipped, int64_t cost) {
      if (next == exceptions.size()) {
        if (!CanAppend(skipped)) return;
        best = chosen;
        best_cost = cost;
        return;
      }
      for (const Repair& option : options[next]) {
        if (cost + option.cost >= best_cost) return;
        const bool skip = option.kind == PlannedSession::Kind::kSkipped;
        if (skip ? skipped == appended.size() : !FitsIn(next, option.start)) continue;
        chosen.push_back(option);
        Choose(next + 1, skipped + (skip ? 1 : 0), cost + option.cost);
        chosen.pop_back();
      }
    }

    // The start of session `index` as chosen so far; none: skipped.
    std::optional<Granule> StartOf(size_t index) const {
      const auto it = std::find(exceptions.begin(), exceptions.end(), index);
      if (it == exceptions.end()) return planned[index];
      const Repair& repair = chosen[it - exceptions.begin()];
      if (repair.kind == PlannedSession::Kind::kSkipped) return std::nullopt;
      return repair.start;
    }

    bool FitsIn(size_t next, Granule start) const {
      const size_t index = exceptions[next];
      for (size_t before = index; before-- > 0;) {
        const std::optional<Granule> other = StartOf(before);
        if (!other.has_value()) continue;
        if (start - *other < kApart) return false;
        break;
      }
      // The next one that stays; those between are held to this one in their turn.
      for (size_t after = index + 1; after < planned.size(); ++after) {
        if (std::find(exceptions.begin(), exceptions.end(), after) != exceptions.end()) continue;
        return planned[after] - start >= kApart;
      }
      return true;
    }

    bool CanAppend(size_t skipped) const {
      if (skipped == 0) return true;
      if (skipped > appended.size() || ends_on_anniversary[skipped - 1]) return false;
      for (size_t index = planned.size(); index-- > 0;) {
        const std::optional<Granule> last = StartOf(index);
        if (last.has_value()) return *last == planned[index] || appended[0] - *last >= kApart;
      }
      return true;
    }
  };

  void Keep(Found found) {
    if (best_.size() == wanted_) {
      std::pop_heap(best_.begin(), best_.end());
      best_.pop_back();
    }
    best_.push_back(std::move(found));
    std::push_heap(best_.begin(), best_.end());
  }

  static const uint64_t* Data(const Line& line) { return line.empty() ? nullptr : line.data(); }

  const AvailabilityIndex& index_;
  const SeriesQuery& query_;
  const Scope scope_;
  const Popularity popularity_;
  const int granules_;
  const int step_;
  const bool rooms_;
  const int most_;
  const bool unbroken_;
  std::vector<ClinicLines> clinics_;  // as scope_.places()
  Line visited_;                      // of clinicians at several clinics
  Stretch starts_;                    // of series
  Stretch sessions_;                  // of sessions, also repaired and appended ones
  std::vector<int32_t> appended_;     // day offsets
  absl::flat_hash_set<int32_t> anniversaries_;
  std::vector<SeriesStep> steps_;
  absl::flat_hash_map<const Axis*, std::unique_ptr<AxisLines>> axes_;
  std::vector<Scratch> scratch_;
  std::vector<RowStarts> rows_;  // of the clinician at hand
  std::vector<Solved> solved_;
  StartLister starts_of_;
  std::vector<Line> remote_;  // by row of the clinician at hand; empty: not made yet
  size_t wanted_ = 0;
  std::vector<Found> best_;  // heap, the worst on top
};

}  // namespace

std::vector<SeriesPlan> PlanSeries(const AvailabilityIndex& index, const SeriesQuery& query) {
  return Planner(index, query).Plan();
}

void ForEachSeriesStart(
    const AvailabilityIndex& index, const SeriesQuery& query,
    absl::FunctionRef<void(const AvailabilityIndex::Clinician&, const AvailabilityIndex::Clinic&,
                           absl::Time start, int exceptions)>
        visit) {
  Planner planner(index, query);
  planner.ForEachClinician(
      [&](const AvailabilityIndex::Clinician& clinician, bool, int exceptions) {
        for (const RowStarts& row : planner.rows()) {
          size_t window = 0;
          for (size_t word = row.first_word; word < row.end_word; ++word) {
            uint64_t seen = 0;
            for (int e = 0; e <= exceptions; ++e) {
              for (uint64_t bits = row.levels[e][word] & ~seen; bits != 0; bits &= bits - 1) {
                const Granule start =
                    row.clinic->axis->GranuleOf(word * 64 + __builtin_ctzll(bits), window);
                visit(clinician, *row.clinic, TimeOf(start), e);
              }
              seen |= row.levels[e][word];
            }
          }
        }
      });
}

}  // namespace rapport::scheduling::openings
