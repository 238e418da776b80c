// One service as a program of its own.
namespace rapport::RAPPORT_SERVICE {
int Main(int argc, char** argv);
}

int main(int argc, char** argv) { return rapport::RAPPORT_SERVICE::Main(argc, argv); }
