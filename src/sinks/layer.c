/* placeholder until the first file of this layer lands */
extern int hr_layer_placeholder;
