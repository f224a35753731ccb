// `moe teach`, and its verbs; argv[0] is the verb.
#pragma once

namespace moe {

int teach_main(int argc, char** argv);

int teach_check_main(int argc, char** argv);     // the graders are proven
int teach_rehearse_main(int argc, char** argv);  // a made-up class is graded
int teach_grade_main(int argc, char** argv);     // a class's submissions
int teach_report_main(int argc, char** argv);    // what a class found hard
int teach_show_main(int argc, char** argv);      // a wrong answer as its learner sees it
int teach_cost_main(int argc, char** argv);      // seconds an answer
int teach_release_main(int argc, char** argv);   // what a class gets

}  // namespace moe
