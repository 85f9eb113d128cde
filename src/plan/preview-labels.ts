/** The id of the repository, in digits. */
export const PREVIEW_REPOSITORY_LABEL = 'rollsafe.dev/preview-repository'
/** The number of the pull request, in digits. */
export const PREVIEW_PULL_REQUEST_LABEL = 'rollsafe.dev/preview-pull-request'
