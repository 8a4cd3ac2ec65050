import ArgumentParser

@main
struct SoakCommand: ParsableCommand {
    func run() throws {}
}
