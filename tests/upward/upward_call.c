/* Must not link: a program of layer data that calls upward, into ml. */
struct hr_stage_type;
const struct hr_stage_type *hr_stage_type_find(const char *name);

int main(void)
{
    return hr_stage_type_find("IDF") != (void *)0;
}
