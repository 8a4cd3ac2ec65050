// Which datapath a command is about: the folder that it is pinned in.

import ArgumentParser
import Datapath
import Inspection

struct PinFolderOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where the datapath is pinned.", valueName: "path"))
    var pinFolder = PinFolder.conventional.path

    var folder: PinFolder { PinFolder(path: pinFolder) }

    func validate() throws {
        guard pinFolder.hasPrefix("/") else {
            throw ValidationError("--pin-folder must be an absolute path, not '\(pinFolder)'.")
        }
    }

    /// Opens the maps and reads them; complaints about them go to standard error.
    func snapshot() throws -> DatapathSnapshot {
        let snapshot = try DatapathSnapshot(reading: DatapathMaps.open(folder))
        for complaint in snapshot.complaints { Console.diagnose(complaint) }
        return snapshot
    }
}

struct StateFolderOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where agents write their state files.", valueName: "path"))
    var stateFolder = AgentStatus.conventionalFolder
}
