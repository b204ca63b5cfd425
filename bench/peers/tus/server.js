// @tus/server with its file store, as its README sets it up. Usage: node server.js PORT DIRECTORY
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const [port, directory] = process.argv.slice(2);

const tus = new Server({
  path: "/files",
  relativeLocation: true,
  datastore: new FileStore({ directory }),
});

// When a client goes away in the middle of a body, the web stream that wraps the request is closed
// twice, and the error surfaces outside of any request: without this the whole server would end.
process.on("uncaughtException", (error) => {
  if (error.code !== "ERR_INVALID_STATE") {
    console.error(error);
    process.exit(1);
  }
  console.error(`survived ${error.code}: ${error.message}`);
});

const server = tus.listen(Number(port), "127.0.0.1");
// Node ends requests after five minutes; a large file on a busy machine may take longer.
server.requestTimeout = 0;
