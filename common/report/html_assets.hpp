// The style sheet and the script that stand in every report.
#pragma once

namespace moe {

extern const char* const kReportStyle;
extern const char* const kReportScript;

}  // namespace moe
