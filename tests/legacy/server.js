// THE OLD SYSTEM: a stand-in for the Express API that laydown replaces, written for our tests and for
// nothing else. See README.md. It is what such an API usually is, its weaknesses included: a file is
// held in memory, its object is put before its row is written, nothing is checked.
//
// Usage: node server.js PORT, with DATABASE (a Postgres: its socket directory, user and database as
// `host=… user=… dbname=…`), BUCKET, ENDPOINT, API_KEYS (`key=name,key=name`) and AWS's own variables.
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import express from "express";
import multer from "multer";
import pg from "pg";

const { DATABASE, BUCKET, ENDPOINT, API_KEYS } = process.env;
const given = Object.fromEntries(DATABASE.split(" ").map((each) => each.split("=")));
const pool = new pg.Pool({
  host: given.host,
  port: given.port && Number(given.port),
  user: given.user,
  database: given.dbname,
  max: 4,
});
await pool.query(`
  CREATE TABLE IF NOT EXISTS documents (
    id serial PRIMARY KEY,
    project_id integer NOT NULL,
    filename text NOT NULL,
    mime text,
    size bigint NOT NULL,
    s3_key text NOT NULL,
    uploaded_by text,
    created_at timestamptz NOT NULL DEFAULT now()
  )`);
const s3 = new S3Client({ endpoint: ENDPOINT, region: "us-east-1", forcePathStyle: true });
const people = new Map(API_KEYS.split(",").map((each) => each.split("=")));

const COLUMNS = "id, project_id, filename, mime, size, s3_key, uploaded_by, created_at";
const shown = (row) => ({
  id: row.id,
  projectId: row.project_id,
  filename: row.filename,
  mime: row.mime,
  size: Number(row.size),
  uploadedBy: row.uploaded_by,
  createdAt: row.created_at.toISOString(),
  url: `/documents/${row.id}/download`,
});
const found = async (id) => {
  if (!/^[0-9]{1,9}$/.test(id)) return undefined;
  return (await pool.query(`SELECT ${COLUMNS} FROM documents WHERE id = $1`, [id])).rows[0];
};

const app = express();
const upload = multer({ storage: multer.memoryStorage(), defParamCharset: "utf8" });

app.get("/health", (request, response) => response.json({ ok: true }));

app.use((request, response, next) => {
  request.person = people.get(request.get("X-Api-Key"));
  if (request.person) next();
  else response.status(401).json({ error: "Unauthorized" });
});

app.post("/documents", upload.single("file"), async (request, response) => {
  const project = Number(request.body?.projectId);
  if (!request.file) return response.status(400).json({ error: "file is required" });
  if (!Number.isSafeInteger(project)) {
    return response.status(400).json({ error: "projectId is required" });
  }
  const { originalname, mimetype, buffer } = request.file;
  const key = `uploads/${Date.now()}-${originalname}`;
  await s3.send(
    new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: buffer, ContentType: mimetype }),
  );
  const { rows } = await pool.query(
    `INSERT INTO documents (project_id, filename, mime, size, s3_key, uploaded_by)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
    [project, originalname, mimetype, buffer.length, key, request.body.uploadedBy ?? request.person],
  );
  response.status(201).json(shown(rows[0]));
});

app.get("/documents/:id", async (request, response) => {
  const row = await found(request.params.id);
  if (row) response.json(shown(row));
  else response.status(404).json({ error: "Not found" });
});

app.get("/documents/:id/download", async (request, response) => {
  const row = await found(request.params.id);
  if (!row) return response.status(404).json({ error: "Not found" });
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: row.s3_key }));
    response.attachment(row.filename);
    response.type(row.mime ?? "application/octet-stream");
    response.set("Content-Length", String(object.ContentLength));
    object.Body.pipe(response);
  } catch (error) {
    if (error.name !== "NoSuchKey") throw error;
    response.status(404).json({ error: "Not found" });
  }
});

app.get("/projects/:id/documents", async (request, response) => {
  if (!/^[0-9]{1,9}$/.test(request.params.id)) return response.json([]);
  const { rows } = await pool.query(
    `SELECT ${COLUMNS} FROM documents WHERE project_id = $1 ORDER BY id`,
    [request.params.id],
  );
  response.json(rows.map(shown));
});

app.use((error, request, response, next) => {
  console.error(error);
  response.status(500).json({ error: "Internal server error" });
});

const server = app.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
