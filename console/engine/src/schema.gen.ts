// Written by `npm run types` from docs/reference/openapi.json. Never edited.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Amount
         * @description So many files of so many bytes.
         */
        Amount: {
            /** Count */
            count: number;
            /** Bytes */
            bytes: number;
        };
        /**
         * AuditLine
         * @description Who did what, when, from where.
         */
        AuditLine: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Deed */
            deed: string;
            /**
             * Principal Id
             * Format: uuid
             */
            principal_id: string;
            /** Name */
            name: string;
            /** Token Id */
            token_id?: string | null;
            /** Address */
            address?: string | null;
            /** Request */
            request?: string | null;
            /** Subject Id */
            subject_id?: string | null;
            /** Project Id */
            project_id?: string | null;
            /** Detail */
            detail: {
                [key: string]: string | number;
            };
        };
        /**
         * AuditPage
         * @description Some lines of the audit, newest first, and where the next page begins.
         */
        AuditPage: {
            /** Items */
            items: components["schemas"]["AuditLine"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Batch
         * @description A delivery in numbers; the counts add up to `declared.count`.
         */
        Batch: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /** Reference */
            reference: string;
            /** Label */
            label: string | null;
            /**
             * On Conflict
             * @enum {string}
             */
            on_conflict: "new_version" | "skip" | "reject";
            /**
             * State
             * @enum {string}
             */
            state: "open" | "closed" | "settled";
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Closed At */
            closed_at: string | null;
            declared: components["schemas"]["Amount"];
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Reasons */
            reasons: {
                [key: string]: number;
            };
            settled: components["schemas"]["Amount"];
            /** Received Bytes */
            received_bytes: number;
            /** Declared By */
            declared_by?: string | null;
            /** Declared By Name */
            declared_by_name?: string | null;
            /** Bytes Per Second */
            bytes_per_second?: number | null;
            /** Seconds Left */
            seconds_left?: number | null;
            /** Number */
            number?: number | null;
        };
        /**
         * BatchPage
         * @description Some batches, newest first, and where the next page begins.
         */
        BatchPage: {
            /** Items */
            items: components["schemas"]["Batch"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Change
         * @description An SSE `change`: one upload moved, or (kind `promoted`) must be sent by the client.
         */
        Change: {
            /** Number */
            number: number;
            /** Kind */
            kind: string;
            /**
             * At
             * Format: date-time
             */
            at: string;
            /**
             * Upload Id
             * @default null
             */
            upload_id?: string | null;
            /**
             * Key
             * @default null
             */
            key?: string | null;
            /**
             * Path
             * @default null
             */
            path?: string | null;
            /**
             * State
             * @default null
             */
            state?: ("declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed") | null;
            /**
             * Reason
             * @default null
             */
            reason?: string | null;
            /**
             * Detail
             * @default null
             */
            detail?: string | null;
        };
        /**
         * Check
         * @description One thing `readyz` looked at.
         */
        Check: {
            /** Name */
            name: string;
            /** Ok */
            ok: boolean;
            /** Detail */
            detail: string;
            /** Remedy */
            remedy?: string | null;
        };
        /**
         * Child
         * @description What lies directly in a folder.
         */
        Child: {
            /** Name */
            name: string;
            /** Path */
            path: string;
            document?: components["schemas"]["Document"] | null;
        };
        /**
         * Completion
         * @description What completing one upload came to.
         */
        Completion: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** State */
            state: ("declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed") | null;
            /** Code */
            code?: string | null;
            /**
             * Missing
             * @default []
             */
            missing?: number[];
        };
        /**
         * CompletionRequest
         * @description What `POST /v1/batches/{id}/completions` takes; at most 5,000 uploads.
         */
        CompletionRequest: {
            /** Uploads */
            uploads: components["schemas"]["SentUpload"][];
        };
        /**
         * Completions
         * @description The answer to a completion request, in its order.
         */
        Completions: {
            /** Uploads */
            uploads: components["schemas"]["Completion"][];
        };
        /**
         * Declared
         * @description The answer to a declaration: the batch, and one verdict an entry, in order.
         */
        Declared: {
            batch: components["schemas"]["Batch"];
            /** Verdicts */
            verdicts: components["schemas"]["Verdict"][];
        };
        /**
         * Deed
         * @description What is audited.
         * @enum {string}
         */
        Deed: "project.made" | "project.changed" | "batch.declared" | "batch.closed" | "batch.cancelled" | "batch.retried" | "upload.cancelled" | "version.fetched" | "project.rescanned" | "job.replayed" | "job.discarded" | "member.added" | "member.changed" | "member.removed" | "role.given" | "role.taken" | "token.made" | "token.revoked" | "link.made" | "link.revoked" | "quota.set" | "legacy.imported" | "legacy.forgotten" | "session.opened" | "session.ended";
        /**
         * Document
         * @description A path inside a project.
         */
        Document: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /** Path */
            path: string;
            /** Versions */
            versions: number;
            current: components["schemas"]["Version"];
        };
        /**
         * DocumentPage
         * @description Some documents by path, and where the next page begins.
         */
        DocumentPage: {
            /** Items */
            items: components["schemas"]["Document"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Entry
         * @description A file to be declared.
         */
        Entry: {
            /** Key */
            key: string;
            /** Path */
            path: string;
            /** Size */
            size: number;
            /**
             * Sha256
             * @default null
             */
            sha256?: string | null;
            /**
             * Content Type
             * @default null
             */
            content_type?: string | null;
            /**
             * Modified At
             * @default null
             */
            modified_at?: string | null;
            /**
             * Captured At
             * @default null
             */
            captured_at?: string | null;
            /** @default null */
            position?: components["schemas"]["Position"] | null;
        };
        /**
         * Failure
         * @description How many files were refused, expired or failed in the window, for one reason.
         */
        Failure: {
            /**
             * State
             * @enum {string}
             */
            state: "declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed";
            /** Reason */
            reason: string;
            /** Files */
            files: number;
            /** Bytes */
            bytes: number;
        };
        /**
         * Fault
         * @description One thing wrong with a request body.
         */
        Fault: {
            /** Pointer */
            pointer: string;
            /** Detail */
            detail: string;
        };
        /**
         * FolderPage
         * @description Some of what lies in a folder, by path, and where the next page begins.
         */
        FolderPage: {
            /** Items */
            items: components["schemas"]["Child"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Forecast
         * @description What would become of one entry.
         */
        Forecast: {
            /** Key */
            key: string;
            /**
             * Outlook
             * @enum {string}
             */
            outlook: "new" | "new_version" | "present" | "skipped" | "refused";
            /** Reason */
            reason?: string | null;
            /** Detail */
            detail?: string | null;
        };
        /**
         * GrantRequest
         * @description What `POST /v1/batches/{id}/grants` takes: the next `limit` parts, or those of `uploads`.
         */
        GrantRequest: {
            /**
             * Limit
             * @default 64
             */
            limit?: number;
            /**
             * Uploads
             * @default []
             */
            uploads?: components["schemas"]["WantedUpload"][];
        };
        /**
         * Grants
         * @description The answer to a grant request.
         */
        Grants: {
            /** Uploads */
            uploads: components["schemas"]["UploadGrant"][];
        };
        /**
         * Happening
         * @description One thing that happened to an upload.
         */
        Happening: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Kind */
            kind: string;
            /** State */
            state?: ("declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed") | null;
            /** Reason */
            reason?: string | null;
            /** Detail */
            detail?: string | null;
            /** Number */
            number?: number | null;
        };
        /**
         * Health
         * @description Whether this server can take and answer requests.
         */
        Health: {
            /** Ok */
            ok: boolean;
            /** Version */
            version: string;
            /**
             * Checks
             * @default []
             */
            checks?: components["schemas"]["Check"][];
        };
        /**
         * JobPage
         * @description Some jobs, oldest first, and how many there are in each state.
         */
        JobPage: {
            /** Items */
            items: components["schemas"]["JobRow"][];
            /** Counts */
            counts: {
                [key: string]: number;
            };
            /** Oldest Waiting Seconds */
            oldest_waiting_seconds?: number | null;
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * JobRow
         * @description A job that waits, runs or is dead.
         */
        JobRow: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Kind */
            kind: string;
            /**
             * State
             * @enum {string}
             */
            state: "waiting" | "running" | "dead";
            /** Attempt */
            attempt: number;
            /**
             * Run At
             * Format: date-time
             */
            run_at: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Upload Id */
            upload_id?: string | null;
            /** Last Error */
            last_error?: string | null;
        };
        /**
         * JobState
         * @description Where a job is; finished ones leave the table.
         * @enum {string}
         */
        JobState: "waiting" | "running" | "dead";
        /**
         * Link
         * @description A drop link, without its secret.
         */
        Link: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /** Label */
            label: string;
            /** Folder */
            folder: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Max Files */
            max_files?: number | null;
            /** Max Bytes */
            max_bytes?: number | null;
            /** Revoked At */
            revoked_at?: string | null;
            /** Last Used At */
            last_used_at?: string | null;
        };
        /**
         * LinkPage
         * @description Some drop links, and where the next page begins.
         */
        LinkPage: {
            /** Items */
            items: components["schemas"]["Link"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * MadeLink
         * @description A new drop link; `secret` is what its holder sends as a token, and is never shown again.
         */
        MadeLink: {
            link: components["schemas"]["Link"];
            /** Secret */
            secret: string;
        };
        /**
         * MadeToken
         * @description A new token; `secret` goes behind `Authorization: Bearer`, and is never shown again.
         */
        MadeToken: {
            token: components["schemas"]["Token"];
            /** Secret */
            secret: string;
        };
        /**
         * Me
         * @description Who is asking, and what they may do.
         */
        Me: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "member" | "link";
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Name */
            name: string;
            /** Organization */
            organization: string;
            /**
             * Organization Id
             * Format: uuid
             */
            organization_id: string;
            /** May */
            may: string[];
            /** Projects */
            projects: {
                [key: string]: string[];
            };
            link?: components["schemas"]["Link"] | null;
            /** Csrf */
            csrf?: string | null;
        };
        /**
         * Member
         * @description Somebody, or some program, that belongs to the organization.
         */
        Member: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Name */
            name: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Projects */
            projects: {
                [key: string]: "owner" | "manager" | "contributor" | "uploader" | "viewer";
            };
            /** Email */
            email?: string | null;
            /** Role */
            role?: ("owner" | "manager" | "contributor" | "uploader" | "viewer") | null;
            /**
             * Signs In
             * @default false
             */
            signs_in?: boolean;
        };
        /**
         * MemberChange
         * @description What `PATCH /v1/members/{id}` takes; absent fields stay as they are.
         */
        MemberChange: {
            /**
             * Name
             * @default null
             */
            name?: string | null;
            /**
             * Email
             * @default null
             */
            email?: string | null;
            /**
             * Role
             * @default null
             */
            role?: ("owner" | "manager" | "contributor" | "uploader" | "viewer") | "none" | null;
        };
        /**
         * MemberPage
         * @description Some members, and where the next page begins.
         */
        MemberPage: {
            /** Items */
            items: components["schemas"]["Member"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * NewBatch
         * @description What `POST /v1/projects/{id}/batches` takes; at most 5,000 entries.
         */
        NewBatch: {
            /** Reference */
            reference: string;
            /**
             * Label
             * @default null
             */
            label?: string | null;
            /**
             * On Conflict
             * @default new_version
             * @enum {string}
             */
            on_conflict?: "new_version" | "skip" | "reject";
            /**
             * Entries
             * @default []
             */
            entries?: components["schemas"]["Entry"][];
        };
        /**
         * NewEntries
         * @description What `POST /v1/batches/{id}/entries` takes; at most 5,000 entries.
         */
        NewEntries: {
            /** Entries */
            entries: components["schemas"]["Entry"][];
        };
        /**
         * NewLink
         * @description What `POST /v1/projects/{id}/links` takes.
         */
        NewLink: {
            /** Label */
            label: string;
            /**
             * Folder
             * @default
             */
            folder?: string;
            /**
             * Max Files
             * @default null
             */
            max_files?: number | null;
            /**
             * Max Bytes
             * @default null
             */
            max_bytes?: number | null;
            /**
             * Expires At
             * @default null
             */
            expires_at?: string | null;
        };
        /**
         * NewMember
         * @description What `POST /v1/members` takes.
         */
        NewMember: {
            /** Name */
            name: string;
            /**
             * Email
             * @default null
             */
            email?: string | null;
            /**
             * Role
             * @default null
             */
            role?: ("owner" | "manager" | "contributor" | "uploader" | "viewer") | null;
        };
        /**
         * NewProject
         * @description What `POST /v1/projects` takes.
         */
        NewProject: {
            /** Code */
            code: string;
            /**
             * Name
             * @default null
             */
            name?: string | null;
            /**
             * Time Zone
             * @default null
             */
            time_zone?: string | null;
            /** @default null */
            position?: components["schemas"]["Position"] | null;
        };
        /**
         * NewToken
         * @description What `POST /v1/tokens` takes.
         */
        NewToken: {
            /** Name */
            name: string;
            /**
             * Member Id
             * @default null
             */
            member_id?: string | null;
            /**
             * Role
             * @default null
             */
            role?: ("owner" | "manager" | "contributor" | "uploader" | "viewer") | null;
            /**
             * Project Id
             * @default null
             */
            project_id?: string | null;
            /**
             * Expires At
             * @default null
             */
            expires_at?: string | null;
        };
        /**
         * OperationsHistory
         * @description What was sampled of an organization's queue, and what settled, in steps of equal length.
         *
         *     Samples are taken by workers, several times a minute, and kept for 30 days. A step in which
         *     nobody sampled is missing. The last step is still going on.
         */
        OperationsHistory: {
            /**
             * Since
             * Format: date-time
             */
            since: string;
            /**
             * Until
             * Format: date-time
             */
            until: string;
            /** Step Seconds */
            step_seconds: number;
            /** Points */
            points: components["schemas"]["OperationsPoint"][];
        };
        /**
         * OperationsOverview
         * @description How an organization's uploads fare: now, and in a window of time until now.
         *
         *     A window begins with a whole minute, so it is up to a minute longer than was asked for. What
         *     `settled` is counted by state, and all of it in `throughput` or `failures` too, but for what was
         *     skipped or cancelled.
         */
        OperationsOverview: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            /**
             * Since
             * Format: date-time
             */
            since: string;
            queue: components["schemas"]["Queue"];
            throughput: components["schemas"]["Throughput"];
            /** Settled */
            settled: {
                [key: string]: number;
            };
            /** Stages */
            stages: components["schemas"]["StageLatency"][];
            /** Failures */
            failures: components["schemas"]["Failure"][];
            stuck: components["schemas"]["StuckCounts"];
            /** Health */
            health: components["schemas"]["Check"][];
        };
        /**
         * OperationsPoint
         * @description A step of time: the most that waited in it, what settled, and how long that took.
         *
         *     Times are from a file's declaration until it was ready or linked. After much traffic some files
         *     of a step stand for all of them; where there was none, there is no time.
         */
        OperationsPoint: {
            /**
             * At
             * Format: date-time
             */
            at: string;
            /** Waiting */
            waiting: number;
            /** Running */
            running: number;
            /** Dead */
            dead: number;
            /** Oldest Waiting Seconds */
            oldest_waiting_seconds: number;
            /** Files */
            files: number;
            /** Bytes */
            bytes: number;
            /** Failures */
            failures: number;
            /** Ready P50 Seconds */
            ready_p50_seconds?: number | null;
            /** Ready P95 Seconds */
            ready_p95_seconds?: number | null;
        };
        /**
         * PartGrant
         * @description A permission to send one part; `headers` must be sent exactly.
         *
         *     A `url` that begins with `/` is at the server that gave it, however that was reached.
         */
        PartGrant: {
            /** Number */
            number: number;
            /** Url */
            url: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /**
             * Method
             * @default PUT
             * @constant
             */
            method?: "PUT";
            /** Headers */
            headers?: {
                [key: string]: string;
            };
        };
        /**
         * Plan
         * @description How to send a file: whole, or in parts of `part_size` bytes (the last one shorter).
         */
        Plan: {
            /**
             * Kind
             * @enum {string}
             */
            kind: "single" | "multipart";
            /** Part Size */
            part_size: number | null;
            /** Parts */
            parts: number;
            /** Concurrency */
            concurrency: number;
        };
        /**
         * Position
         * @description A place on Earth, WGS 84.
         */
        Position: {
            /** Latitude */
            latitude: number;
            /** Longitude */
            longitude: number;
        };
        /**
         * Preview
         * @description A forecast for each entry, in order. Nothing was recorded, and nothing is promised.
         */
        Preview: {
            /** Items */
            items: components["schemas"]["Forecast"][];
        };
        /**
         * PreviewRequest
         * @description What `POST /v1/projects/{id}/previews` takes; at most 5,000 entries.
         */
        PreviewRequest: {
            /** Entries */
            entries: components["schemas"]["Entry"][];
            /**
             * On Conflict
             * @default new_version
             * @enum {string}
             */
            on_conflict?: "new_version" | "skip" | "reject";
        };
        /**
         * Problem
         * @description An error, as RFC 9457 `application/problem+json`.
         */
        Problem: {
            /** Type */
            type: string;
            /** Title */
            title: string;
            /** Status */
            status: number;
            /** Detail */
            detail: string;
            /** Code */
            code: string;
            /**
             * Instance
             * @default null
             */
            instance?: string | null;
            /**
             * Errors
             * @default []
             */
            errors?: components["schemas"]["Fault"][];
        };
        /**
         * ProgressReport
         * @description What `POST /v1/batches/{id}/progress` takes; at most 5,000 uploads. Only ever shown.
         */
        ProgressReport: {
            /** Uploads */
            uploads: components["schemas"]["SentBytes"][];
        };
        /**
         * Project
         * @description A construction project.
         */
        Project: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Code */
            code: string;
            /** Name */
            name: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Time Zone */
            time_zone?: string | null;
            position?: components["schemas"]["Position"] | null;
        };
        /**
         * ProjectChange
         * @description What `PATCH /v1/projects/{id}` takes; absent fields stay as they are.
         */
        ProjectChange: {
            /**
             * Name
             * @default null
             */
            name?: string | null;
            /**
             * Time Zone
             * @default null
             */
            time_zone?: string | null;
            /** @default null */
            position?: components["schemas"]["Position"] | null;
        };
        /**
         * ProjectPage
         * @description Some projects, and where the next page begins.
         */
        ProjectPage: {
            /** Items */
            items: components["schemas"]["Project"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Queue
         * @description The jobs of now.
         */
        Queue: {
            /** Waiting */
            waiting: number;
            /** Running */
            running: number;
            /** Dead */
            dead: number;
            /** Oldest Waiting Seconds */
            oldest_waiting_seconds?: number | null;
        };
        /**
         * Quota
         * @description How much an organization, or one of its projects, may use; null: as much as it likes.
         */
        Quota: {
            /**
             * Bytes
             * @default null
             */
            bytes?: number | null;
            /**
             * Files
             * @default null
             */
            files?: number | null;
            /**
             * Uploads
             * @default null
             */
            uploads?: number | null;
        };
        /**
         * Reason
         * @description A stable code beside a settled state.
         * @enum {string}
         */
        Reason: "duplicate_exact" | "duplicate_in_batch" | "system_junk" | "unchanged" | "empty_file" | "placeholder_pointer" | "too_large" | "path_too_long" | "illegal_name" | "type_mismatch" | "type_not_allowed" | "checksum_mismatch" | "size_mismatch" | "infected" | "scan_unavailable" | "quota_exceeded" | "name_conflict" | "invalid_entry" | "key_reused" | "expired" | "cancelled_by_user" | "no_permission" | "processing_gave_up";
        /**
         * ReasonText
         * @description What a reason means, and what to do about it.
         */
        ReasonText: {
            /** Code */
            code: string;
            /**
             * Severity
             * @enum {string}
             */
            severity: "info" | "error";
            /** Message */
            message: string;
            /** Remedy */
            remedy: string;
        };
        /**
         * Reasons
         * @description All reasons there are.
         */
        Reasons: {
            /** Items */
            items: components["schemas"]["ReasonText"][];
        };
        /**
         * Receipt
         * @description The ledger of a batch; `final` once it is closed and every file is settled.
         */
        Receipt: {
            batch: components["schemas"]["Batch"];
            /** Final */
            final: boolean;
            /** Scanner */
            scanner: string;
            /** Rows */
            rows: components["schemas"]["ReceiptRow"][];
        };
        /**
         * ReceiptRow
         * @description What became of one file.
         */
        ReceiptRow: {
            /** Path */
            path: string;
            /** Size */
            size: number;
            /**
             * State
             * @enum {string}
             */
            state: "declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed";
            /** Key */
            key: string;
            /**
             * Upload Id
             * Format: uuid
             */
            upload_id: string;
            /** Reason */
            reason?: string | null;
            /** Message */
            message?: string | null;
            /** Remedy */
            remedy?: string | null;
            /** Detail */
            detail?: string | null;
            /** Sha256 */
            sha256?: string | null;
            /** Version Id */
            version_id?: string | null;
            /** Version */
            version?: number | null;
            /** Moved At */
            moved_at?: string | null;
            /** Scanned By */
            scanned_by?: string | null;
            /**
             * Infected
             * @default false
             */
            infected?: boolean;
        };
        /**
         * Rescan
         * @description How many different contents will be scanned again.
         */
        Rescan: {
            /** Files */
            files: number;
        };
        /**
         * RescanRequest
         * @description What `POST /v1/projects/{id}/rescan` takes; without a body, the whole project is meant.
         */
        RescanRequest: {
            /**
             * Path
             * @default null
             */
            path?: string | null;
        };
        /**
         * Retried
         * @description How many uploads a retry set going again.
         */
        Retried: {
            /** Uploads */
            uploads: number;
        };
        /**
         * RoleGrant
         * @description What `PUT /v1/projects/{id}/members/{member_id}` takes.
         */
        RoleGrant: {
            /**
             * Role
             * @enum {string}
             */
            role: "owner" | "manager" | "contributor" | "uploader" | "viewer";
        };
        /**
         * SentBytes
         * @description How much of one upload has gone to the store, as its client counts.
         */
        SentBytes: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /** Sent Bytes */
            sent_bytes: number;
        };
        /**
         * SentFile
         * @description What became of one file of a form, as far as it has come.
         */
        SentFile: {
            /** Field */
            field: string;
            /** Filename */
            filename: string;
            /** Size */
            size: number;
            /** Path */
            path?: string | null;
            /** State */
            state?: ("declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed") | null;
            /** Upload Id */
            upload_id?: string | null;
            /** Reason */
            reason?: string | null;
            /** Message */
            message?: string | null;
            /** Remedy */
            remedy?: string | null;
            /** Detail */
            detail?: string | null;
            /** Sha256 */
            sha256?: string | null;
            /** Version Id */
            version_id?: string | null;
        };
        /**
         * SentFiles
         * @description The answer to a form: its files, in their order.
         */
        SentFiles: {
            /**
             * Batch Id
             * Format: uuid
             */
            batch_id: string;
            /** Reference */
            reference: string;
            /** Files */
            files: components["schemas"]["SentFile"][];
            /**
             * Ignored Fields
             * @default []
             */
            ignored_fields?: string[];
        };
        /**
         * SentPart
         * @description What a store answered for one part.
         */
        SentPart: {
            /** Number */
            number: number;
            /**
             * Etag
             * @default null
             */
            etag?: string | null;
            /**
             * Checksum
             * @default null
             */
            checksum?: string | null;
        };
        /**
         * SentUpload
         * @description An upload all of whose parts were sent; the store is asked itself what it has of them.
         */
        SentUpload: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Parts
             * @default []
             */
            parts?: components["schemas"]["SentPart"][];
        };
        /**
         * SignIn
         * @description What `POST /v1/sessions` takes.
         */
        SignIn: {
            /** Code */
            code: string;
        };
        /**
         * StageLatency
         * @description How long files were in a state that they left in the window.
         *
         *     After much traffic 1,000 events stand for all of them: `files` were measured.
         */
        StageLatency: {
            /**
             * Stage
             * @enum {string}
             */
            stage: "declared" | "receiving" | "sealing" | "checking" | "processing" | "total";
            /** Files */
            files: number;
            /** P50 Seconds */
            p50_seconds: number;
            /** P95 Seconds */
            p95_seconds: number;
        };
        /**
         * State
         * @description Where an upload is.
         * @enum {string}
         */
        State: "declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed";
        /**
         * StuckCounts
         * @description How many files move no more, now.
         */
        StuckCounts: {
            /** Silent */
            silent: number;
            /** Stuck */
            stuck: number;
        };
        /**
         * StuckPage
         * @description Some files that move no more, about in order of declaration, and how many there are.
         */
        StuckPage: {
            /** Items */
            items: components["schemas"]["StuckRow"][];
            counts: components["schemas"]["StuckCounts"];
            /** Silent After Seconds */
            silent_after_seconds: number;
            /** Stuck After Seconds */
            stuck_after_seconds: number;
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * StuckRow
         * @description A file that moves no more.
         *
         *     `silent`: the client said nothing for long, and neither sent the file nor closed the batch.
         *     `stuck`: all of it is here, and no worker brought it any further for long.
         */
        StuckRow: {
            /**
             * Upload Id
             * Format: uuid
             */
            upload_id: string;
            /**
             * Batch Id
             * Format: uuid
             */
            batch_id: string;
            /**
             * Project Id
             * Format: uuid
             */
            project_id: string;
            /** Path */
            path: string;
            /** Size */
            size: number;
            /** Received */
            received: number;
            /**
             * State
             * @enum {string}
             */
            state: "declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed";
            /**
             * Plight
             * @enum {string}
             */
            plight: "silent" | "stuck";
            /**
             * Moved At
             * Format: date-time
             */
            moved_at: string;
            /** Last Error */
            last_error?: string | null;
        };
        /**
         * Throughput
         * @description What became ready, or was linked to content that was here already, in the window.
         */
        Throughput: {
            /** Files */
            files: number;
            /** Bytes */
            bytes: number;
            /** Files Per Second */
            files_per_second: number;
            /** Bytes Per Second */
            bytes_per_second: number;
        };
        /**
         * Timeline
         * @description Everything that happened to an upload, oldest first.
         */
        Timeline: {
            upload: components["schemas"]["Upload"];
            /** Items */
            items: components["schemas"]["Happening"][];
        };
        /**
         * Token
         * @description A token, without its secret.
         */
        Token: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Member Id
             * Format: uuid
             */
            member_id: string;
            /** Name */
            name: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Role */
            role?: ("owner" | "manager" | "contributor" | "uploader" | "viewer") | null;
            /** Project Id */
            project_id?: string | null;
            /** Expires At */
            expires_at?: string | null;
            /** Revoked At */
            revoked_at?: string | null;
            /** Last Used At */
            last_used_at?: string | null;
        };
        /**
         * TokenPage
         * @description Some tokens, and where the next page begins.
         */
        TokenPage: {
            /** Items */
            items: components["schemas"]["Token"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * Upload
         * @description One file of a batch.
         */
        Upload: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Batch Id
             * Format: uuid
             */
            batch_id: string;
            /** Key */
            key: string;
            /** Path */
            path: string;
            /** Size */
            size: number;
            /**
             * State
             * @enum {string}
             */
            state: "declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed";
            /** Attempt */
            attempt: number;
            /** Received Bytes */
            received_bytes: number;
            /**
             * Declared At
             * Format: date-time
             */
            declared_at: string;
            /**
             * Moved At
             * Format: date-time
             */
            moved_at: string;
            /** Reason */
            reason?: string | null;
            /** Detail */
            detail?: string | null;
            /** Sha256 */
            sha256?: string | null;
            /** Version Id */
            version_id?: string | null;
        };
        /**
         * UploadGrant
         * @description The next parts of an upload, and the numbers of those already here.
         */
        UploadGrant: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Parts
             * @default []
             */
            parts?: components["schemas"]["PartGrant"][];
            /**
             * Have
             * @default []
             */
            have?: number[];
            /** Code */
            code?: string | null;
            /**
             * Needs Completion
             * @default false
             */
            needs_completion?: boolean;
        };
        /**
         * UploadPage
         * @description Some uploads in order of declaration, and where the next page begins.
         */
        UploadPage: {
            /** Items */
            items: components["schemas"]["Upload"][];
            /** Next Cursor */
            next_cursor?: string | null;
            /** Number */
            number?: number | null;
        };
        /**
         * Usage
         * @description What is used now, counted as quotas count it, and the quota that binds it.
         */
        Usage: {
            /** Bytes */
            bytes: number;
            /** Files */
            files: number;
            /** Uploads */
            uploads: number;
            quota: components["schemas"]["Quota"];
        };
        /**
         * Verdict
         * @description What to do about one declared entry.
         */
        Verdict: {
            /** Key */
            key: string;
            /**
             * Verdict
             * @enum {string}
             */
            verdict: "send" | "resume" | "wait" | "duplicate" | "skipped" | "rejected" | "settled";
            /** Upload Id */
            upload_id?: string | null;
            /** State */
            state?: ("declared" | "receiving" | "sealing" | "checking" | "processing" | "ready" | "duplicate" | "skipped" | "rejected" | "cancelled" | "expired" | "failed") | null;
            plan?: components["schemas"]["Plan"] | null;
            /** Reason */
            reason?: string | null;
            /** Detail */
            detail?: string | null;
        };
        /**
         * Version
         * @description One immutable revision of a document.
         */
        Version: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Document Id
             * Format: uuid
             */
            document_id: string;
            /** Path */
            path: string;
            /** Number */
            number: number;
            /** Current */
            current: boolean;
            /** Size */
            size: number;
            /** Sha256 */
            sha256: string;
            /** Kind */
            kind: string;
            /** Media Type */
            media_type: string;
            /**
             * Upload Id
             * Format: uuid
             */
            upload_id: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Scanned By
             * @default none
             */
            scanned_by?: string;
            /**
             * Infected
             * @default false
             */
            infected?: boolean;
        };
        /**
         * VersionPage
         * @description The versions of a document, newest first.
         */
        VersionPage: {
            /** Items */
            items: components["schemas"]["Version"][];
            /** Next Cursor */
            next_cursor?: string | null;
        };
        /**
         * WantedPart
         * @description A part to be granted; a checksum is signed into its URL.
         */
        WantedPart: {
            /** Number */
            number: number;
            /**
             * Checksum
             * @default null
             */
            checksum?: string | null;
        };
        /**
         * WantedUpload
         * @description An upload to be granted; no parts named: the next ones that are missing.
         */
        WantedUpload: {
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Parts
             * @default []
             */
            parts?: components["schemas"]["WantedPart"][];
        };
        /**
         * Ways
         * @description How people can sign in here.
         */
        Ways: {
            /** Link */
            link: boolean;
            /** Provider */
            provider: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type Amount = components['schemas']['Amount'];
export type AuditLine = components['schemas']['AuditLine'];
export type AuditPage = components['schemas']['AuditPage'];
export type Batch = components['schemas']['Batch'];
export type BatchPage = components['schemas']['BatchPage'];
export type Change = components['schemas']['Change'];
export type Check = components['schemas']['Check'];
export type Child = components['schemas']['Child'];
export type Completion = components['schemas']['Completion'];
export type CompletionRequest = components['schemas']['CompletionRequest'];
export type Completions = components['schemas']['Completions'];
export type Declared = components['schemas']['Declared'];
export type Deed = components['schemas']['Deed'];
export type Document = components['schemas']['Document'];
export type DocumentPage = components['schemas']['DocumentPage'];
export type Entry = components['schemas']['Entry'];
export type Failure = components['schemas']['Failure'];
export type Fault = components['schemas']['Fault'];
export type FolderPage = components['schemas']['FolderPage'];
export type Forecast = components['schemas']['Forecast'];
export type GrantRequest = components['schemas']['GrantRequest'];
export type Grants = components['schemas']['Grants'];
export type Happening = components['schemas']['Happening'];
export type Health = components['schemas']['Health'];
export type JobPage = components['schemas']['JobPage'];
export type JobRow = components['schemas']['JobRow'];
export type JobState = components['schemas']['JobState'];
export type Link = components['schemas']['Link'];
export type LinkPage = components['schemas']['LinkPage'];
export type MadeLink = components['schemas']['MadeLink'];
export type MadeToken = components['schemas']['MadeToken'];
export type Me = components['schemas']['Me'];
export type Member = components['schemas']['Member'];
export type MemberChange = components['schemas']['MemberChange'];
export type MemberPage = components['schemas']['MemberPage'];
export type NewBatch = components['schemas']['NewBatch'];
export type NewEntries = components['schemas']['NewEntries'];
export type NewLink = components['schemas']['NewLink'];
export type NewMember = components['schemas']['NewMember'];
export type NewProject = components['schemas']['NewProject'];
export type NewToken = components['schemas']['NewToken'];
export type OperationsHistory = components['schemas']['OperationsHistory'];
export type OperationsOverview = components['schemas']['OperationsOverview'];
export type OperationsPoint = components['schemas']['OperationsPoint'];
export type PartGrant = components['schemas']['PartGrant'];
export type Plan = components['schemas']['Plan'];
export type Position = components['schemas']['Position'];
export type Preview = components['schemas']['Preview'];
export type PreviewRequest = components['schemas']['PreviewRequest'];
export type Problem = components['schemas']['Problem'];
export type ProgressReport = components['schemas']['ProgressReport'];
export type Project = components['schemas']['Project'];
export type ProjectChange = components['schemas']['ProjectChange'];
export type ProjectPage = components['schemas']['ProjectPage'];
export type Queue = components['schemas']['Queue'];
export type Quota = components['schemas']['Quota'];
export type Reason = components['schemas']['Reason'];
export type ReasonText = components['schemas']['ReasonText'];
export type Reasons = components['schemas']['Reasons'];
export type Receipt = components['schemas']['Receipt'];
export type ReceiptRow = components['schemas']['ReceiptRow'];
export type Rescan = components['schemas']['Rescan'];
export type RescanRequest = components['schemas']['RescanRequest'];
export type Retried = components['schemas']['Retried'];
export type RoleGrant = components['schemas']['RoleGrant'];
export type SentBytes = components['schemas']['SentBytes'];
export type SentFile = components['schemas']['SentFile'];
export type SentFiles = components['schemas']['SentFiles'];
export type SentPart = components['schemas']['SentPart'];
export type SentUpload = components['schemas']['SentUpload'];
export type SignIn = components['schemas']['SignIn'];
export type StageLatency = components['schemas']['StageLatency'];
export type State = components['schemas']['State'];
export type StuckCounts = components['schemas']['StuckCounts'];
export type StuckPage = components['schemas']['StuckPage'];
export type StuckRow = components['schemas']['StuckRow'];
export type Throughput = components['schemas']['Throughput'];
export type Timeline = components['schemas']['Timeline'];
export type Token = components['schemas']['Token'];
export type TokenPage = components['schemas']['TokenPage'];
export type Upload = components['schemas']['Upload'];
export type UploadGrant = components['schemas']['UploadGrant'];
export type UploadPage = components['schemas']['UploadPage'];
export type Usage = components['schemas']['Usage'];
export type Verdict = components['schemas']['Verdict'];
export type Version = components['schemas']['Version'];
export type VersionPage = components['schemas']['VersionPage'];
export type WantedPart = components['schemas']['WantedPart'];
export type WantedUpload = components['schemas']['WantedUpload'];
export type Ways = components['schemas']['Ways'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
