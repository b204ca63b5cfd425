// Today's system, as small as it gets: Express takes a form with one file, multer streams it to the
// disk, and one INSERT records it. Usage: node server.js PORT DIRECTORY SOCKET_DIRECTORY
import express from "express";
import multer from "multer";
import pg from "pg";

const [port, directory, sockets] = process.argv.slice(2);

const pool = new pg.Pool({ host: sockets, user: "bench", database: "postgres" });
await pool.query(`
  CREATE TABLE files (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint NOT NULL,
    name text NOT NULL,
    stored_as text NOT NULL,
    content_type text NOT NULL,
    size bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`);

const INSERT = {
  name: "insert-file",
  text: `INSERT INTO files (project_id, name, stored_as, content_type, size)
         VALUES ($1, $2, $3, $4, $5) RETURNING id`,
};

const upload = multer({ storage: multer.diskStorage({ destination: directory }) });
const app = express();

app.post("/projects/:project/files", upload.single("file"), async (request, response) => {
  const { originalname, filename, mimetype, size } = request.file;
  const { rows } = await pool.query({
    ...INSERT,
    values: [request.params.project, originalname, filename, mimetype, size],
  });
  response.status(201).json({ id: rows[0].id, name: originalname, size });
});

const server = app.listen(Number(port), "127.0.0.1");
// Node ends requests after five minutes; a large file on a busy machine may take longer.
server.requestTimeout = 0;
