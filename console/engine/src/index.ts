/** Delivers folders to laydown from a browser: looks through, declares, sends, resumes. */

export { breathe, pause, sleep } from "./backoff";
export { Delivery, MOST_FILES, type Options } from "./delivery";
export { digest } from "./digest";
export { follow, type BatchEvent } from "./events";
export { fetched, xhr, type Put, type Transport } from "./transport";
export { dropped, picked, walk } from "./walk";
export type {
  Api,
  DeliveryFile,
  DeliveryState,
  Found,
  OnConflict,
  Outlook,
  Phase,
  Refusal,
  Stage,
  Unreadable,
  UploadState,
} from "./types";
export type {
  Amount,
  Batch,
  BatchPage,
  Change,
  Check,
  Child,
  Document,
  DocumentPage,
  Failure,
  FolderPage,
  Forecast,
  Happening,
  JobPage,
  JobRow,
  Me,
  OperationsHistory,
  OperationsOverview,
  Problem,
  Project,
  ProjectPage,
  ReasonText,
  Reasons,
  Receipt,
  Retried,
  StageLatency,
  StuckPage,
  Timeline,
  Upload,
  UploadPage,
  Verdict,
  Version,
  VersionPage,
  Ways,
} from "./schema.gen";
