/* See sources.h. */
#include "sources.h"

#include "show.h"

#include "firmware/efi_report.h"
#include "lib/ram_report.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/fs.h>

#define ATTRIBUTES_SIZE 4 /* before the value, in a file of efivarfs */

static char problem[SOURCES_PROBLEM_SIZE];

/* Formats why a file cannot be used, by errno. */
static const char *file_problem(const char *path)
{
    snprintf(problem, sizeof(problem), "%s: %s%s", path, strerror(errno),
             errno == EACCES || errno == EPERM ? "; run hymir-report as root" : "");
    return problem;
}

/* Reads all of a stream, at most REPORT_MOST bytes and one more; false without memory. */
static bool read_all(FILE *file, struct report *report)
{
    char *text = malloc(REPORT_MOST + 2);

    if (text == NULL)
        return false;
    size_t size = fread(text, 1, REPORT_MOST + 1, file);
    text[size]  = '\0';
    *report     = (struct report){text, size};
    return true;
}

const char *source_read_file(const char *path, struct report *report)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");

    if (file == NULL)
        return file_problem(path);
    errno       = 0;
    bool is_set = read_all(file, report) && !ferror(file);
    if (file != stdin)
        fclose(file);
    if (!is_set)
        return file_problem(path);
    if (report->size <= REPORT_MOST)
        return NULL;
    free(report->text);
    snprintf(problem, sizeof(problem), "%s: more than %d bytes, too long for a report",
             path, REPORT_MOST);
    return problem;
}

/* ---- UEFI variables ---------------------------------------------------------------- */

/* A variable_reader; context is the path of efivarfs. */
static long read_variable(void *context, const char *name, uint8_t *bytes,
                          size_t capacity)
{
    char path[4096];
    uint8_t buffer[ATTRIBUTES_SIZE + EFI_REPORT_PART_SIZE + 1];

    snprintf(path, sizeof(path), "%s/%s-%s", (const char *)context, name,
             EFI_REPORT_GUID_TEXT);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    size_t size = fread(buffer, 1, sizeof(buffer), file);
    fclose(file);
    if (size < ATTRIBUTES_SIZE)
        return -1;
    size -= ATTRIBUTES_SIZE;
    memcpy(bytes, buffer + ATTRIBUTES_SIZE, size < capacity ? size : capacity);
    return (long)size;
}

const char *source_read_variables(const char *efivars, struct report *report)
{
    static const char *const texts[] = {
        [STORED_NONE]       = "no report in UEFI variables; boot Hymir with report=efi",
        [STORED_INCOMPLETE] = "the report in UEFI variables is incomplete: Hymir was "
                              "interrupted; boot it again with report=efi",
        [STORED_DAMAGED]    = "the report in UEFI variables is damaged; boot Hymir again "
                              "with report=efi",
        [STORED_UNKNOWN]    = "the report in UEFI variables is in the format of another "
                              "version of Hymir; use its hymir-report",
    };

    if (access(efivars, F_OK) != 0) {
        snprintf(problem, sizeof(problem),
                 "%s: not present: Linux was not booted by UEFI, or efivarfs is not "
                 "mounted",
                 efivars);
        return problem;
    }
    return texts[stored_read(read_variable, (void *)(uintptr_t)efivars, report)];
}

/* Returns whether a file of efivarfs is the header or a part. */
static bool is_report(const char *name)
{
    size_t length = strlen(EFI_REPORT_NAME);

    if (strncmp(name, EFI_REPORT_NAME, length) != 0)
        return false;
    name += length;
    while (*name >= '0' && *name <= '9')
        name++;
    return strcmp(name, "-" EFI_REPORT_GUID_TEXT) == 0;
}

/* Deletes a file that efivarfs protects from accidental deletion. */
static bool delete_variable(int folder, const char *name)
{
    int flags = 0;
    int file  = openat(folder, name, O_RDONLY);

    if (file >= 0) {
        if (ioctl(file, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_IMMUTABLE_FL) != 0) {
            flags &= ~FS_IMMUTABLE_FL;
            (void)ioctl(file, FS_IOC_SETFLAGS, &flags); /* unlinkat then fails */
        }
        close(file);
    }
    return unlinkat(folder, name, 0) == 0;
}

const char *source_clear_variables(const char *efivars, size_t *count)
{
    char header[sizeof(EFI_REPORT_NAME "-" EFI_REPORT_GUID_TEXT)];
    const struct dirent *entry;
    DIR *folder     = opendir(efivars);
    const char *bad = NULL;

    *count = 0;
    if (folder == NULL)
        return file_problem(efivars);
    snprintf(header, sizeof(header), "%s-%s", EFI_REPORT_NAME, EFI_REPORT_GUID_TEXT);
    if (delete_variable(dirfd(folder), header))
        ++*count;
    else if (errno != ENOENT)
        bad = file_problem(header);
    while (bad == NULL && (entry = readdir(folder)) != NULL) {
        if (!is_report(entry->d_name) || strcmp(entry->d_name, header) == 0)
            continue;
        if (delete_variable(dirfd(folder), entry->d_name))
            ++*count;
        else
            bad = file_problem(entry->d_name);
    }
    closedir(folder);
    return bad;
}

/* ---- RAM --------------------------------------------------------------------------- */

/* Copies the report from its place in RAM; false if there is none. */
static bool copy_memory(const struct ram_report *place, struct report *report)
{
    struct ram_report head = *place;

    if (head.signature != RAM_REPORT_SIGNATURE || head.start != 0 || head.size == 0 ||
        head.size > RAM_REPORT_TEXT_SIZE)
        return false;
    report->text = malloc((size_t)head.size + 1);
    if (report->text == NULL)
        return false;
    memcpy(report->text, place->text, head.size);
    report->text[head.size] = '\0';
    report->size            = head.size;
    return true;
}

const char *source_read_memory(const char *path, struct report *report)
{
    int file = open(path, O_RDONLY);

    if (file < 0)
        return file_problem(path);
    void *place =
        mmap(NULL, RAM_REPORT_SIZE, PROT_READ, MAP_SHARED, file, RAM_REPORT_ADDRESS);
    close(file);
    if (place == MAP_FAILED) {
        snprintf(problem, sizeof(problem),
                 "%s: %s; to find a report in RAM, boot Linux with memmap=%uK$0x%x", path,
                 strerror(errno), RAM_REPORT_SIZE >> 10, RAM_REPORT_ADDRESS);
        return problem;
    }
    bool is_found = copy_memory(place, report);
    munmap(place, RAM_REPORT_SIZE);
    return is_found ? NULL : "no report in RAM; boot Hymir with report=ram exit=reboot";
}

/* ---- The newest -------------------------------------------------------------------- */

/* Reads a source's report and its time; returns what it lacks, or NULL. */
static const char *read_source(const struct source *source, struct report *report,
                               char time[SHOW_TIME_SIZE])
{
    const char *fault = source->read(source->path, report);

    if (fault != NULL)
        return fault;
    fault = show_time(report, time);
    if (fault == NULL)
        return NULL;
    free(report->text);
    snprintf(problem, sizeof(problem), "%s: %s", source->path, fault);
    return problem;
}

bool source_read_newest(struct source *sources, size_t count, struct report *report)
{
    char newest[SHOW_TIME_SIZE] = "";
    bool is_found               = false;

    for (size_t i = 0; i < count; i++) {
        struct report found;
        char time[SHOW_TIME_SIZE];
        const char *fault = read_source(&sources[i], &found, time);
        snprintf(sources[i].problem, sizeof(sources[i].problem), "%s",
                 fault == NULL ? "" : fault);
        if (fault != NULL)
            continue;
        if (is_found && strcmp(time, newest) <= 0) {
            free(found.text);
            continue;
        }
        if (is_found)
            free(report->text);
        *report  = found;
        is_found = true;
        memcpy(newest, time, sizeof(newest));
    }
    return is_found;
}
