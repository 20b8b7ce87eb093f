import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

import type { BroadcastJob, JobQueue } from '#libs/protocol';

/** Jobs in one call. */
const MOST_JOBS = 1000;
const MOST_NUMBER = Number.MAX_SAFE_INTEGER;
const JOB_ID_CHARS = 100;
const QUEUES: readonly JobQueue[] = ['reminders', 'broadcasts', 'deliveries'];

/** `take_jobs`. */
export class TakeJobsCall {
  @IsInt()
  @Min(1)
  @Max(MOST_JOBS)
  limit: number;
}

/** `jobs_added`. */
export class JobsAddedCall {
  @IsInt()
  @Min(0)
  @Max(MOST_NUMBER)
  through: number;
}

/** `wanted_jobs`. */
export class WantedJobsCall extends TakeJobsCall {
  @IsIn(QUEUES)
  queue: JobQueue;

  @IsOptional()
  @IsString()
  @MaxLength(JOB_ID_CHARS)
  after?: string;
}

/** `still_wanted`. */
export class StillWantedCall {
  @IsArray()
  @ArrayMaxSize(MOST_JOBS)
  @IsString({ each: true })
  @MaxLength(JOB_ID_CHARS, { each: true })
  job_ids: string[];
}

class BroadcastJobDto implements BroadcastJob {
  @Matches(/^m[1-9]\d{0,14}$/, { message: '$property must be like "m12"' })
  message: string;

  @IsInt()
  @Min(0)
  @Max(MOST_NUMBER)
  chunk: number;
}

/** `deliver_chunks`. */
export class DeliverChunksCall {
  @IsArray()
  @ArrayMaxSize(MOST_JOBS)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => BroadcastJobDto)
  jobs: BroadcastJobDto[];
}
